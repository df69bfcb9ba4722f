import Bytes
import Oracle
import Testing

@testable import Targets

@Suite struct WorkloadScriptTests {
    @Test func `seed and number decide everything`() {
        let script = WorkloadScript(seed: 7)
        let forwards = (1...200).map { script.operation($0) }
        let backwards = (1...200).reversed().map { WorkloadScript(seed: 7).operation($0) }
        #expect(forwards == backwards.reversed())
        #expect(forwards != (1...200).map { WorkloadScript(seed: 8).operation($0) })
    }

    /// The bytes must not change, since recorded runs are replayed by seed.
    @Test func `operations never change`() {
        let script = WorkloadScript(seed: 1)
        let keys = (1...24).map { script.operation($0).key.description }.joined(separator: " ")
        #expect(
            keys == "k32 k14 k29 k14 k29 k03 k13 k14 k03 k19 k01 k01 k26 k15 k30 k19 k25 k32 k27 k09 k22 k10 k15 k17")
        let sizes = (1...10).map { script.operation($0).action.payload?.count ?? -1 }
        #expect(sizes == [1026, 90, 2, 274, 290, 66, 962, 234, 34, 339])
    }

    @Test func `every 23rd operation deletes a recent key`() {
        for seed in UInt64(0)..<20 {
            let script = WorkloadScript(seed: seed)
            for seq in UInt64(1)...460 {
                let operation = script.operation(seq)
                #expect(operation.seq == seq)
                #expect((operation.action == .delete) == (seq % 23 == 0))
                guard operation.action == .delete else { continue }
                #expect((seq - 22..<seq).contains { script.operation($0).key == operation.key })
            }
        }
    }

    @Test func `overwrites and sizes vary`() {
        let script = WorkloadScript(seed: 3)
        let operations = (1...1000).map { script.operation($0) }
        let sizes = operations.compactMap(\.action.payload).map(\.count)
        #expect(Set(operations.map(\.key)).count == 40)
        #expect(sizes.contains(0) && sizes.contains { $0 > 4096 } && sizes.max()! < 10_000)
        let whole = operations.compactMap(\.action.payload).filter { !$0.isEmpty }
        #expect(Set(whole).count == whole.count, "every payload that is not empty tells its operation")
    }
}
