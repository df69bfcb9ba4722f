import Block
import Glibc

extension RunResult {
    /// The block device part of a run on a real filesystem.
    package struct Block: Codable, Sendable, Equatable {
        package var filesystem: BlockFilesystem
        /// The release of the kernel that ran the filesystem, such as `6.18.5`.
        package var kernel: String
        package var sectorBytes: UInt64
        /// The number of images that the kernel was asked to mount. One image may serve several checks.
        package var images: Int
        /// The number of images in which the target recovered. The others held files that it had recovered before.
        /// Nil in results of earlier versions.
        package var recovered: Int?
        /// Whether two recoveries of the same files differed, after which each image was recovered; nil if not.
        package var recoveriesDiffered: Bool?
        /// The number of images that the filesystem's checker checked.
        package var checkedByFilesystem: Int
        /// Seconds by step, summed over all threads.
        package var seconds: [String: Double]
        /// The faults of the device, and what came of them; nil if there were none.
        package var device: Device?

        package init(_ setup: BlockSetup, _ counts: ImageTally.Counts) {
            (filesystem, sectorBytes) = (setup.filesystem, setup.sectorBytes)
            kernel = Self.runningKernel
            (images, recovered, checkedByFilesystem) = (counts.images, counts.recovered, counts.checked)
            recoveriesDiffered = counts.recoveriesDiffered ? true : nil
            seconds = [:]
            for (step, spent) in counts.seconds { seconds[step.rawValue] = (spent * 1000).rounded() / 1000 }
        }

        package var filesystemName: String { filesystem.rawValue }
        package var checkerName: String { filesystem.checkWords[0] }

        /// The kernel's version without its patch level: `6.18`.
        package var shortKernel: String { Self.short(kernel) }

        package static func short(_ kernel: String) -> String {
            kernel.split(separator: ".").prefix(2).joined(separator: ".")
        }

        /// The steps in order, with their seconds.
        package var steps: [(name: String, seconds: Double)] {
            ImageTally.Step.allCases.compactMap { step in seconds[step.rawValue].map { (step.rawValue, $0) } }
        }

        /// The kernel release from uname(2).
        package static var runningKernel: String {
            var name = utsname()
            guard uname(&name) == 0 else { return "unknown" }
            return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }
}
