import Bytes
import Glibc
import Model

/// One block device that shows crash images in turn, each as a view of the last one: only sectors that differ are written.
///
/// Beside the file there is a mirror in memory of what was last loaded. A mount changes the file; what differs from the
/// mirror afterwards is put back by the next load, so that no image is ever copied. Pages of zeros take room in neither.
/// One thread at a time.
package final class BlockImage: @unchecked Sendable {
    package let mountPoint: ByteString
    package let file: ByteString
    private let filesystem: BlockFilesystem
    private let image: ImageFile
    private let mirror: UnsafeMutableRawPointer
    private let view: UnsafeRawPointer
    private let device: LoopDevice
    /// What was last loaded.
    private var content: [ExtentMap.Extent] = []
    /// A mount may have changed the file since.
    private var isChanged = false

    /// An image of zeros in the directory `place`, which is made.
    package init(_ filesystem: BlockFilesystem, sectorBytes: UInt32 = 4096, in place: ByteString) throws {
        self.filesystem = filesystem
        mountPoint = place.appending(component: "mount")
        file = place.appending(component: "disk")
        for directory in [place, mountPoint] {
            guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
                throw BlockError.system(call: "mkdir", path: directory, errno: errno)
            }
        }
        image = try ImageFile(creating: file, sizeBytes: filesystem.sizeBytes)
        device = try LoopDevice(file, in: place, blockBytes: sectorBytes, isDirect: false)
        view = try image.mapped()
        let size = Int(filesystem.sizeBytes)
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw BlockError.system(call: "mmap", path: file, errno: errno)
        }
        mirror = memory
    }

    deinit {
        munmap(mirror, Int(filesystem.sizeBytes))
        munmap(UnsafeMutableRawPointer(mutating: view), Int(filesystem.sizeBytes))
        device.release()
    }

    /// Makes the device hold `wanted`, whose data is in `payloads`. It must not be mounted.
    package func load(_ wanted: ExtentMap, _ payloads: any PayloadStore) throws {
        if isChanged { try restore() }
        let next = wanted.extents
        for change in ExtentChange.changes(from: content, to: next, sizeBytes: filesystem.sizeBytes) {
            try write(change, payloads)
        }
        content = next
        try device.dropCache()
    }

    private static let chunkBytes: UInt64 = 1 << 20

    private func write(_ change: ExtentChange, _ payloads: any PayloadStore) throws {
        for start in stride(from: change.range.lowerBound, to: change.range.upperBound, by: Int(Self.chunkBytes)) {
            let count = min(Self.chunkBytes, change.range.upperBound - start)
            if let data = change.data {
                let bytes = try payloads.bytes(of: data.slice(start - change.range.lowerBound, count: count))
                bytes.withUnsafeBytes { (mirror + Int(start)).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            } else {
                memset(mirror + Int(start), 0, Int(count))
            }
            try image.write(UnsafeRawBufferPointer(start: mirror + Int(start), count: Int(count)), at: start)
        }
    }

    /// Puts back what a mount changed. Where it discarded something, the file has a hole, and the mirror may have data.
    private func restore() throws(BlockError) {
        let runs = try image.runsOfData()
        for run in runs {
            try forEachPage(of: run) { (page) throws(BlockError) in
                if memcmp(view + page.lowerBound, mirror + page.lowerBound, page.count) != 0 { try putBack(page) }
            }
        }
        // The view is not looked at here: reading a hole would give it room.
        for hole in holes(between: runs) {
            try forEachPage(of: hole) { (page) throws(BlockError) in
                let bytes = UnsafeRawBufferPointer(start: mirror + page.lowerBound, count: page.count)
                if !bytes.allSatisfy({ $0 == 0 }) { try putBack(page) }
            }
        }
        isChanged = false
    }

    /// The parts of what was loaded that lie in none of the runs, which are in order.
    private func holes(between runs: [Range<UInt64>]) -> [Range<UInt64>] {
        var holes: [Range<UInt64>] = []
        var index = 0
        for extent in content {
            var start = extent.offsetBytes
            while index < runs.count, runs[index].upperBound <= start { index += 1 }
            var next = index
            while start < extent.endBytes {
                let run = next < runs.count ? runs[next] : extent.endBytes..<extent.endBytes
                if start < run.lowerBound { holes.append(start..<min(run.lowerBound, extent.endBytes)) }
                start = max(start, run.upperBound)
                next += 1
            }
        }
        return holes
    }

    private func putBack(_ page: Range<Int>) throws(BlockError) {
        let bytes = UnsafeRawBufferPointer(start: mirror + page.lowerBound, count: page.count)
        try image.write(bytes, at: UInt64(page.lowerBound))
    }

    private func forEachPage(
        of range: Range<UInt64>, _ body: (Range<Int>) throws(BlockError) -> Void
    ) throws(BlockError) {
        let page = ImageFile.pageBytes
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(page)) {
            try body(Int(start)..<Int(min(start + page, range.upperBound)))
        }
    }

    /// Mounts what was loaded: the filesystem recovers. Throws `MountFailure` where it cannot.
    package func mount() throws -> BlockMount {
        isChanged = true
        return try BlockMount(device, filesystem, at: mountPoint)
    }

    /// Nothing holds the device any more, so that another image can be loaded.
    package var isFree: Bool { device.isQuiet }

    /// What the filesystem's checker says of the image, which must not be mounted; nil where all is well.
    package func complaint() throws -> String? { try filesystem.complaint(about: file) }
}

extension BlockFilesystem {
    /// What its checker says of an image, which must not be mounted; nil where all is well.
    package func complaint(about image: ByteString) throws -> String? {
        let outcome = try FilesystemTool.outcome(of: checkWords, [image], package: package)
        return outcome.isSuccess ? nil : CheckComplaint.words(of: outcome, checkWords, image: image)
    }
}

/// A range of a device that is to hold something else.
struct ExtentChange: Equatable {
    var range: Range<UInt64>
    /// Nil: zeros.
    var data: Payload?

    /// How to get from one content to another, in order. Both are sorted and do not overlap.
    static func changes(
        from old: [ExtentMap.Extent], to new: [ExtentMap.Extent], sizeBytes: UInt64
    ) -> [ExtentChange] {
        var changes: [ExtentChange] = []
        var (before, after) = (Cursor(old, sizeBytes), Cursor(new, sizeBytes))
        var place: UInt64 = 0
        while place < sizeBytes {
            let end = min(before.end(after: place), after.end(after: place))
            let (was, wanted) = (before.data(at: place), after.data(at: place))
            if was != wanted {
                let count = end - place
                let data = wanted.map { Payload(offsetBytes: $0, countBytes: count) }
                changes.append(ExtentChange(range: place..<end, data: data))
            }
            place = end
        }
        return changes
    }

    /// Goes through extents in order.
    private struct Cursor {
        let extents: [ExtentMap.Extent]
        let sizeBytes: UInt64
        var index = 0

        init(_ extents: [ExtentMap.Extent], _ sizeBytes: UInt64) {
            (self.extents, self.sizeBytes) = (extents, sizeBytes)
        }

        /// Where what is at `place` ends; places never go back.
        mutating func end(after place: UInt64) -> UInt64 {
            while index < extents.count, extents[index].endBytes <= place { index += 1 }
            guard index < extents.count else { return sizeBytes }
            let extent = extents[index]
            return min(sizeBytes, extent.offsetBytes <= place ? extent.endBytes : extent.offsetBytes)
        }

        /// Where in the payload store the byte at `place` is; nil for zeros.
        func data(at place: UInt64) -> UInt64? {
            guard index < extents.count, extents[index].offsetBytes <= place else { return nil }
            return extents[index].data.offsetBytes + (place - extents[index].offsetBytes)
        }
    }
}
