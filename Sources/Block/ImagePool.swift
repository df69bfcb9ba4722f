import Bytes
import Platform

/// The block devices that crash images are shown on: as many as threads that ask at once, kept for the next. Thread safe.
package final class ImagePool: Sendable {
    package let filesystem: BlockFilesystem
    private let sectorBytes: UInt32
    private let scratch: ByteString
    private let state = Guarded(State())

    private struct State {
        var idle: [BlockImage] = []
        var made = 0
    }

    /// - Parameter scratch: a directory of this run, for the images.
    package init(_ filesystem: BlockFilesystem, sectorBytes: UInt32 = 4096, scratch: ByteString) {
        (self.filesystem, self.sectorBytes, self.scratch) = (filesystem, sectorBytes, scratch)
    }

    /// Lets `body` use an image that nobody else uses. One that something still holds afterwards, such as a mount namespace
    /// that was made meanwhile, is left to it.
    package func withImage<Result>(_ body: (BlockImage) throws -> Result) throws -> Result {
        let (waiting, number) = state.withLock { state -> (BlockImage?, Int) in
            if let image = state.idle.popLast() { return (image, 0) }
            state.made += 1
            return (nil, state.made)
        }
        let place = scratch.appending(component: ByteString("image-\(number)"))
        let image = try waiting ?? BlockImage(filesystem, sectorBytes: sectorBytes, in: place)
        defer { if image.isFree { state.withLock { $0.idle.append(image) } } }
        return try body(image)
    }

    /// Gives the devices back.
    package func close() { state.withLock { $0.idle = [] } }
}
