import Bytes
import Platform

/// The block devices that crash images are shown on: as many as threads that ask at once, kept for the next. If the machine
/// has no more devices, the threads share those that they have. Thread safe.
package final class ImagePool: @unchecked Sendable {
    package let filesystem: BlockFilesystem
    private let sectorBytes: UInt32
    private let scratch: ByteString
    private let lock = Lock()
    private let returned = Condition()

    // Under the lock.
    private var idle: [BlockImage] = []
    /// For names: how many were ever asked for.
    private var made = 0
    /// How many are in use.
    private var used = 0

    typealias Make = @Sendable (BlockFilesystem, _ sectorBytes: UInt32, _ place: ByteString) throws -> BlockImage
    private let make: Make

    /// - Parameter scratch: a directory of this run, for the images.
    package convenience init(_ filesystem: BlockFilesystem, sectorBytes: UInt32 = 4096, scratch: ByteString) {
        self.init(filesystem, sectorBytes: sectorBytes, scratch: scratch) { filesystem, sectorBytes, place in
            try BlockImage(filesystem, sectorBytes: sectorBytes, in: place)
        }
    }

    init(_ filesystem: BlockFilesystem, sectorBytes: UInt32 = 4096, scratch: ByteString, make: @escaping Make) {
        (self.filesystem, self.sectorBytes, self.scratch, self.make) = (filesystem, sectorBytes, scratch, make)
    }

    /// Lets `body` use an image that nobody else uses. One that something still holds afterwards, such as a mount namespace
    /// that was made meanwhile, is left to it.
    package func withImage<Result>(_ body: (BlockImage) throws -> Result) throws -> Result {
        let image = try take()
        defer { giveBack(image) }
        return try body(image)
    }

    private func take() throws -> BlockImage {
        let (waiting, number) = lock.withLock { () -> (BlockImage?, Int) in
            used += 1
            if let image = idle.popLast() { return (image, 0) }
            made += 1
            return (nil, made)
        }
        if let waiting { return waiting }
        do {
            let place = scratch.appending(component: ByteString("image-\(number)"))
            return try make(filesystem, sectorBytes, place)
        } catch {
            return try wait(after: error)
        }
    }

    /// Waits for another thread's image, if the error says that there are no more devices and somebody has one.
    private func wait(after error: any Error) throws -> BlockImage {
        let isShort =
            switch error {
            case BlockError.noLoopDevice, BlockError.noDeviceNode: true
            default: false
            }
        return try lock.withLock {
            // Whoever waits here uses none.
            used -= 1
            while isShort {
                if let image = idle.popLast() {
                    used += 1
                    return image
                }
                guard used > 0 else { break }
                returned.wait(lock)
            }
            throw error
        }
    }

    private func giveBack(_ image: BlockImage) {
        let isFree = image.isFree
        lock.withLock {
            used -= 1
            if isFree { idle.append(image) }
        }
        returned.wakeAll()
    }

    /// Gives the devices back.
    package func close() { lock.withLock { idle = [] } }
}
