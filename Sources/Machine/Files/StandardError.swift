import Bytes
import CPlatform
import Glibc

/// Words for people on standard error. What cannot be written there is lost: there is nobody to tell, and it must not
/// end the process.
package enum StandardError {
    /// Writes `text`, whosever words are in it, and a line end.
    package static func say(_ text: String) { write(text.printableLines.withoutRunnerCommands + "\n") }

    /// Writes `text` as it is: what may be foreign in it was made printable. A pipe that nobody reads raises no signal.
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
