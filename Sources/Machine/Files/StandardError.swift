import Bytes
import CPlatform
import Glibc

/// Messages on standard error. Write errors are ignored: there is no one to report them to, and they must not end the
/// process.
package enum StandardError {
    /// Writes `text`, escaped because it may be untrusted, and a newline.
    package static func say(_ text: String) { write(text.printableLines.withoutRunnerCommands + "\n") }

    /// Writes `text` verbatim: the caller must have escaped untrusted parts. A closed pipe does not raise SIGPIPE.
    package static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = faultline_write_no_signal(STDERR_FILENO, part.baseAddress, part.count)
                if count == -Int(EINTR) { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
