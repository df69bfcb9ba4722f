@testable import Oracle

extension Version {
    /// A version whose payload is in memory.
    init(payload: [UInt8]?, seq: UInt64, begin: Int, closed: Int, isCertain: Bool, batch: Int) {
        self.init(
            kept: payload.map(KeptPayload.inMemory), seq: seq, begin: begin, closed: closed, isCertain: isCertain,
            batch: batch)
    }
}
