import Testing

@testable import Engine

@Suite struct KeyHashTests {
    /// The bytes 0, 1, 2 … of each length, under the key 0, 1, 2 … 15, as in the vectors of SipHash.
    @Test(
        arguments: [
            (0, 0xABAC_0158_050F_C4DC), (1, 0xC9F4_9BF3_7D57_CA93), (7, 0xD392_7D98_9BB1_1140),
            (8, 0x3690_9511_8D29_9A8E), (15, 0xD320_D86D_2A51_9956), (16, 0xCC4F_DD1A_7D90_8B66),
            (63, 0x9D19_9062_B7BB_B3A8),
        ] as [(Int, UInt64)])
    func `the hash is SipHash-1-3`(_ count: Int, _ expected: UInt64) {
        let hash = KeyHash(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
        #expect((0..<count).map { UInt8($0) }.withUnsafeBytes { hash($0) } == expected)
    }
}
