import Glibc
import Platform

/// A read-only control file. Its text is computed on open.
struct TextFile: ControlFile {
    private let text: @Sendable () -> String

    init(_ text: @escaping @Sendable () -> String) { self.text = text }

    var sizeBytes: Int64 { 0 }

    func open(flags: Int32) throws(Errno) -> ControlHandle {
        guard flags & O_ACCMODE == O_RDONLY else { throw Errno(EACCES) }
        return TextHandle(Array(text().utf8))
    }

    func truncate() throws(Errno) { throw Errno(EPERM) }

    private final class TextHandle: ControlHandle, @unchecked Sendable {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            serve(bytes, buffer, offset: offset)
        }
    }
}
