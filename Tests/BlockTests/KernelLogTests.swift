import Testing

@testable import Block

/// What of the kernel's log is told of a device.
struct KernelLogTests {
    private static let records: [(record: String, told: String?)] = [
        ("3,100,5,-;I/O error, dev loop1, sector 8\n SUBSYSTEM=block\n", "I/O error, dev loop1, sector 8"),
        (
            "2,1,5,-;EXT4-fs (loop1): Remounting filesystem read-only",
            "EXT4-fs (loop1): Remounting filesystem read-only"
        ),
        ("4,1,5,-;Buffer I/O error on device loop1", "Buffer I/O error on device loop1"),
        // A facility beside the level.
        ("27,1,5,-;loop1 failed", "loop1 failed"),
        // An ordinary message.
        ("6,1,5,-;EXT4-fs (loop1): mounted filesystem", nil),
        ("3,1,5,-;I/O error, dev loop12, sector 8", nil),
        ("3,1,5,-;I/O error, dev vda, sector 8", nil), ("nonsense", nil), ("x;loop1", nil), ("", nil),
    ]

    @Test(arguments: records.indices) func `a warning that names the device is told`(index: Int) {
        let (record, told) = Self.records[index]
        #expect(KernelLog.complaint(in: record, about: "loop1") == told)
    }
}
