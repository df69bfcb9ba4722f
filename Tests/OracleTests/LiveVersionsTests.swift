import Bytes
import Testing

@testable import Oracle

/// One key with many concurrent operations, compared with a list that is pruned at each step; and its log at every
/// line.
@Suite struct LiveVersionsTests {
    private struct Model {
        var versions = [Version.absent]

        mutating func apply(_ step: LiveVersions.Step) {
            switch step {
            case .begin(let version): versions.append(version)
            case .replaceAll(let version): versions = [version]
            case .answer(let begin, let closed, let isCertain):
                let index = versions.firstIndex { $0.begin == begin }!
                versions[index].closed = closed
                versions[index].isCertain = isCertain
                let version = versions[index]
                guard isCertain else { return }
                versions.removeAll { !$0.isInFlight && version.replaces($0, .realTime) }
            case .restart(_, let closed):
                for index in versions.indices where versions[index].isInFlight { versions[index].closed = closed }
            case .resolve(let version): versions = [version]
            }
        }
    }

    private static func text(_ versions: [Version]?) -> String {
        versions.map { $0.map { "\($0.begin) \($0.closed) \($0.isCertain) \($0.batch)" }.joined(separator: ", ") }
            ?? "none"
    }

    /// `inPairs`: each batch has two operations on the key.
    @Test(arguments: [3, 40], [false, true])
    func `behaves like a list that is pruned at each step`(inFlight: Int, inPairs: Bool) {
        var random = Seeded(UInt64(inFlight) * 2 + (inPairs ? 1 : 0))
        var (versions, log, model) = (LiveVersions(), VersionLog(), Model())
        var history: [String] = []
        var (seq, lifeBegin) = (UInt64(0), 0)
        for line in 1...1000 {
            let open = model.versions.filter(\.isInFlight)
            var steps: [LiveVersions.Step] = []
            if random.chance(1, in: 200) {
                steps = [.restart(lifeBegin: lifeBegin, closed: line)]
                (seq, lifeBegin) = (0, line)
            } else if random.chance(1, in: 300) {
                var settled = model.versions.randomElement(using: &random)!
                (settled.closed, settled.isCertain, settled.batch) = (line, true, 0)
                steps = [.resolve(settled)]
                (seq, lifeBegin) = (0, line)
            } else if open.count < inFlight, open.isEmpty || random.chance(1, in: 2) {
                seq += 1
                let joins = inPairs && seq % 2 == 0 && open.last?.seq == seq - 1
                let batch = inPairs ? (joins ? open.last!.batch : line) : 0
                steps = [
                    .begin(
                        Version(payload: [], seq: seq, begin: line, closed: .max, isCertain: false, batch: batch))
                ]
            } else {
                // Sometimes the oldest operation stays unanswered for long.
                let chosen = open.dropFirst(random.chance(1, in: 20) ? 0 : 1).randomElement(using: &random) ?? open[0]
                #expect(versions.begin(ofInFlight: chosen.seq, lifeBegin: lifeBegin) == chosen.begin)
                let isCertain = random.chance(4, in: 5)
                steps = open.filter { $0.begin == chosen.begin || (inPairs && $0.batch == chosen.batch) }
                    .map { .answer(begin: $0.begin, closed: line, isCertain: isCertain) }
            }
            for step in steps {
                model.apply(step)
                versions.apply(step)
                log.note(step, at: line, leaving: versions)
            }
            #expect(versions.begin(ofInFlight: seq + 1, lifeBegin: lifeBegin) == nil)
            history.append(Self.text(model.versions))
            #expect(Self.text(versions.current) == history.last)
        }
        #expect(log.versions(after: 0) == nil)
        for line in 1...history.count { #expect(Self.text(log.versions(after: line)) == history[line - 1]) }
    }
}
