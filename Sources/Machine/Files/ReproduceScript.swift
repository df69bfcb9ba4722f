import Bytes
import Glibc

/// The shell script that repeats a run or a case. Arguments with special characters are in single quotes, so that the
/// shell takes every byte literally.
package enum ReproduceScript {
    /// A script that calls `faultline` with these arguments.
    package static func text(_ arguments: [ByteString]) throws(RunDirectoryError) -> [UInt8] {
        head + (try quoted(arguments)) + [UInt8(ascii: "\n")]
    }

    /// The script in a case that replays it, even after the case was moved. Its arguments are passed on, so that
    /// `--target` can name another path of the manifest.
    package static func replayingItsDirectory(target: ByteString?) throws(RunDirectoryError) -> [UInt8] {
        let option = try target.map { (path) throws(RunDirectoryError) in try quoted(["--target", path]) } ?? []
        return head + Array(#" replay "$(dirname -- "$0")""#.utf8) + option + Array(#" "$@"\#n"#.utf8)
    }

    private static let head: [UInt8] = {
        let text = """
            #!/bin/sh
            # Does this again, with the program that made it if it is still there, else with `faultline` on the path.
            # FAULTLINE names another.
            set -eu
            faultline=${FAULTLINE:-PROGRAM}
            if [ -z "${FAULTLINE:-}" ] && [ ! -x "$faultline" ]; then faultline=faultline; fi
            if ! command -v "$faultline" >/dev/null 2>&1; then
                echo "$0: $faultline is not there; call it as FAULTLINE=/path/to/faultline $0" >&2
                exit 2
            fi
            exec "$faultline"
            """
        return Array(text.replacing("PROGRAM", with: program ?? "faultline").utf8)
    }()

    /// The path of the running program, if it is `faultline` and needs no quoting.
    private static let program: String? = {
        guard let path = "/proc/self/exe".withCString({ realpath($0, nil) }) else { return nil }
        defer { free(path) }
        let text = ByteString(UnsafeRawBufferPointer(start: path, count: strlen(path)))
        guard text.bytes.suffix(10).elementsEqual("/faultline".utf8), quoted(text) == text.bytes else { return nil }
        return text.shown
    }()

    /// The quoted arguments, each after a blank.
    private static func quoted(_ arguments: [ByteString]) throws(RunDirectoryError) -> [UInt8] {
        var text: [UInt8] = []
        for argument in arguments {
            if argument.bytes.contains(0) { throw .unusablePath(argument) }
            text.append(UInt8(ascii: " "))
            text += quoted(argument)
        }
        return text
    }

    /// Quotes a word of a printed command for pasting. Control characters become escapes that bash, zsh and ksh read:
    /// `$'\x1b'`.
    package static func quoted(_ word: String) -> String {
        guard word.printable != word else { return String(decoding: quoted(ByteString(word)), as: UTF8.self) }
        return "$'"
            + word.unicodeScalars.map { scalar in
                switch scalar {
                case "'", "\\": "\\\(scalar)"
                case _ where String(scalar).printable == String(scalar): String(scalar)
                default: String(scalar).utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                }
            }.joined() + "'"
    }

    /// Quotes an argument: unchanged if it needs no quotes, else in single quotes.
    package static func quoted(_ argument: ByteString) -> [UInt8] { argument.shellQuoted }
}
