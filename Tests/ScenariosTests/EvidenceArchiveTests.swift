import Bytes
import Model
import Oracle
import Storage
import Testing

@testable import Exploration

/// What states showed, kept with so little memory that nearly all of it is in the file.
@Suite struct EvidenceArchiveTests {
    private let temporary: TemporaryDirectory
    private let budget: MemoryBudget

    init() throws {
        temporary = try TemporaryDirectory()
        budget = MemoryBudget(limitBytes: 16 << 10, spillDirectory: ByteString(temporary.path))
    }

    /// Evidence of each kind, with values of all sizes, many of them the same.
    private func evidence(_ number: Int) -> Evidence {
        var contents: [ByteString: [UInt8]] = [:]
        for key in 0..<number % 7 {
            let count = [0, 1, 63, 64, 65, 3000][(key + number / 7) % 6]
            contents[ByteString("key \(key)")] = [UInt8](repeating: UInt8(number % 5), count: count)
        }
        var observation = Observation(contents)
        if number % 3 == 0 { observation.ownCheck = number % 2 == 0 ? .passed : .complaint("complaint \(number)") }
        let opened = Recovery.opened(observation)
        switch number % 10 {
        case 0: return Evidence(.failed(reason: "reason \(number)"))
        case 1: return Evidence(opened)
        case 2: return Evidence(opened, secondRecovery: .failed(reason: ""))
        case 3: return Evidence(opened, secondRecovery: .opened(Observation()))
        case 4: return Evidence(opened, secondRecovery: opened, probe: .kept)
        case 5: return Evidence(opened, secondRecovery: opened, probe: .refused(reason: "no"))
        case 6: return Evidence(opened, probe: .lost(reason: "gone \(number)"))
        case 7: return Evidence(.hung(afterSeconds: number))
        case 8: return Evidence(.filesystemBroken(reason: "mount: \(number)"))
        default: return Evidence(opened, secondRecovery: opened, probe: .unkept(reason: ""))
        }
    }

    private func shown(_ number: Int) -> StateEvidence {
        StateEvidence(evidence: evidence(number), nested: (0..<number % 3).map { evidence(number + $0 + 1) })
    }

    private func expect(_ archive: EvidenceArchive, _ number: Int, _ wanted: StateEvidence) throws {
        let found = try archive.shown(number)
        #expect(found.evidence == wanted.evidence && found.nested == wanted.nested, "\(number)")
        #expect(found.digest == wanted.digest)
    }

    @Test func `what a full disk did not take is an error when it is asked for, and never a trap`() throws {
        let nowhere = ByteString(temporary.path + "/not/there")
        let archive = EvidenceArchive(MemoryBudget(limitBytes: 16 << 10, spillDirectory: nowhere))
        var failures = 0
        for number in 0..<200 {
            do { try archive.add(.inMemory(shown(number))) } catch { failures += 1 }
        }
        #expect(failures > 0)
        var errors: Set<String> = []
        for number in 0..<archive.count {
            do { _ = try archive.shown(number) } catch { errors.insert("\(error)") }
        }
        #expect(!errors.isEmpty && errors.allSatisfy { $0.contains("not/there") }, "\(errors)")
    }

    @Test func `everything reads back as it was, in any order`() throws {
        let archive = EvidenceArchive(budget)
        for number in 0..<300 {
            let item =
                number % 10 == 0
                ? EvidenceArchive.Item.spilled(try archive.spill.put(shown(number))) : .inMemory(shown(number))
            #expect(try archive.add(item) == number)
        }
        for number in (0..<300).reversed() { try expect(archive, number, shown(number)) }
        for number in stride(from: 0, to: 300, by: 7) {
            try archive.replace(number, with: .inMemory(shown(number + 1)))
        }
        for number in 0..<300 { try expect(archive, number, shown(number % 7 == 0 ? number + 1 : number)) }
    }

    @Test func `different evidence has different digests, but for the numbers in an error`() {
        func opened(_ value: String) -> Recovery { .opened(Observation(["k": Array(value.utf8)])) }
        let (one, other) = (opened("one"), opened("other"))
        let probes: [Evidence.Probe?] = [
            nil, .kept, .refused(reason: "x"), .refused(reason: "y"), .lost(reason: "x"), .unkept(reason: "x"),
        ]
        var all = [one, other, .failed(reason: "x"), .failed(reason: "y"), .hung(afterSeconds: 1)].map { Evidence($0) }
        for second in [one, other, .failed(reason: "x"), .hung(afterSeconds: 1)] {
            all += probes.map { Evidence(one, secondRecovery: second, probe: $0) }
        }
        #expect(Set(all.map { StateEvidence(evidence: $0).digest }).count == all.count)
        let numbers = ["at byte 17", "at byte 4"].map { Evidence(.failed(reason: $0)) }
        #expect(Set(numbers.map { StateEvidence(evidence: $0).digest }).count == 1)
        let nested = StateEvidence(evidence: all[0], nested: [all[1]])
        #expect(nested.digest != StateEvidence(evidence: all[0]).digest)
        #expect(nested.digest != StateEvidence(evidence: all[1], nested: [all[0]]).digest)
    }
}
