import Testing

@testable import Block

/// The tables that device-mapper is given.
struct FlakeyDeviceTests {
    @Test(
        arguments: [
            (nil, "0 131072 flakey /dev/loop3 0 86400 0 0"),
            (.errorWrites, "0 131072 flakey /dev/loop3 0 0 86400 1 error_writes"),
            (.dropWrites, "0 131072 flakey /dev/loop3 0 0 86400 1 drop_writes"),
            (.corruptWrites, "0 131072 flakey /dev/loop3 0 0 86400 5 corrupt_bio_byte 32 w 1 0"),
            (.error, "0 131072 error"), (.delay, "0 131072 delay /dev/loop3 0 20"),
            (.dust, "0 131072 dust /dev/loop3 0 4096"),
            (.randomReadCorruption, "0 131072 flakey /dev/loop3 0 0 86400 2 random_read_corrupt 100000000"),
        ] as [(FlakeyFault?, String)])
    func `a table names the device and counts its features`(fault: FlakeyFault?, table: String) {
        #expect(FlakeyDevice.table(131_072, over: "/dev/loop3", fault) == table)
    }

    @Test(arguments: FlakeyFault.allCases.filter { $0.features != nil })
    func `the count of features is that of the words after it`(fault: FlakeyFault) {
        let words = fault.features?.split(separator: " ") ?? []
        #expect(Int(words[0]) == words.count - 1)
        #expect(words[1] == fault.rawValue)
    }
}
