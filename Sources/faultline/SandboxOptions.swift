import ArgumentParser

/// Whether a store may write outside of the state that it recovers.
struct SandboxOptions: ParsableArguments {
    @Flag(
        name: [.long, .customLong("trust")],
        help: """
            Let a recovery write wherever it likes, also through links that lead out of the store's directory. By default \
            what comes from elsewhere, and every state with such a link, is recovered in a sandbox.
            """)
    var noSandbox = false

    var isOn: Bool { !noSandbox }
}
