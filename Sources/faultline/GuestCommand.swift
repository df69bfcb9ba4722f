import ArgumentParser

/// The subcommands about the virtual machine.
struct GuestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guest",
        abstract: "A small virtual machine with root and device-mapper, for machines that have neither.",
        discussion: """
            It needs QEMU, a static busybox and a Debian kernel package, which is unpacked and not installed: \
            `scripts/setup --guest` gets them, `faultline doctor` says what is missing. docs/power-loss-testing.md has \
            the rest.
            """,
        subcommands: [GuestRunCommand.self])
}
