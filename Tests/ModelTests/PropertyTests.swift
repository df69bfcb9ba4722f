import Litmus
import Model
import Testing

/// What must hold on any trace. A failure names the seed of the generated trace.
struct PropertyTests {
    static let seeds: Range<UInt64> = 0..<160

    /// The trees that a profile allows; nil when there are many.
    private func outcomes(_ trace: LitmusTrace, _ profile: Profile, unitBytes: UInt64) -> Set<String>? {
        let set = trace.pendingSet(profile, unitBytes: unitBytes)
        var seen: Set<String> = []
        var count = 0
        let isWhole = set.forEachSurvivors { survivors in
            seen.insert(trace.cells(set.tree(survivors)))
            count += 1
            return count < 600
        }
        return isWhole ? seen : nil
    }

    @Test(
        arguments: [
            [.kill, .strict, .ext4Journal, .ext4Ordered, .ext4Writeback, .posixMin], [.xfs, .posixMin],
            [.btrfs, .posixMin],
        ] as [[Profile]])
    func `a stronger profile allows no tree that a weaker one forbids`(_ chain: [Profile]) throws {
        var compared = 0
        for seed in PropertyTests.seeds {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            let sets = chain.map { outcomes(trace, $0, unitBytes: script.unitBytes) }
            for index in 1..<chain.count {
                guard let stronger = sets[index - 1], let weaker = sets[index] else { continue }
                compared += 1
                let extra = stronger.subtracting(weaker)
                #expect(
                    extra.isEmpty,
                    "\(chain[index - 1]) allows what \(chain[index]) forbids: \(extra.sorted().prefix(2))\n\(script.text(outcomes: []))"
                )
            }
        }
        #expect(compared > 100)
    }

    @Test func `strict allows exactly the prefixes of the trace`() throws {
        var compared = 0
        for seed in PropertyTests.seeds {
            let script = try TraceGenerator.script(seed: seed)
            let hasMore = script.run.contains { step in
                ["begin", "fail", "fsync", "fdatasync", "sync", "write-fua"].contains(step.words[0])
                    || step.words[0] == "write"
                        && crossesAPage(step.words)
            }
            if hasMore { continue }
            let trace = try LitmusTrace(script)
            var prefixes: Set<String> = []
            var set = PendingSet(profile: .strict, unitBytes: script.unitBytes)
            for event in trace.events {
                set.add(event)
                if case .barrierEnded = event { prefixes = [] }
                prefixes.insert(trace.cells(set.tree(set.survivors(.everything))))
            }
            #expect(outcomes(trace, .strict, unitBytes: script.unitBytes) == prefixes, "seed \(seed)")
            compared += 1
        }
        #expect(compared > 3)
    }

    private func crossesAPage(_ write: [String]) -> Bool {
        let (offset, count) = (UInt64(write[2])!, UInt64(write[3].dropFirst(2))!)
        return offset / 4096 != (offset + count - 1) / 4096
    }

    /// What a barrier promised of a file's data is in every state of every later crash point, until the file changes.
    @Test(arguments: Profile.allCases) func `data covered by a successful barrier is in every later state`(
        _ profile: Profile
    ) throws {
        var checked = 0
        for seed in PropertyTests.seeds {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            var set = PendingSet(profile: profile, unitBytes: script.unitBytes)
            var promised: [InodeID: String] = [:]
            var barriers: [OperationID: Barrier] = [:]
            var isClean = true
            func file(_ inode: InodeID, _ tree: Tree) -> String? {
                guard let node = tree.nodes[inode], node.kind == .regular else { return nil }
                var alone = Tree()
                alone.nodes[inode] = node
                alone.nodes[inode]!.attributes = Attributes(mode: 0)
                alone.nodes[inode]!.extendedAttributes = [:]
                alone.nodes[.root]!.entries = ["f": inode]
                return trace.cells(alone)
            }
            for event in trace.events {
                set.add(event)
                switch event {
                case .operation(let operation):
                    isClean = isClean && operation.isComplete
                    switch operation.change {
                    case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _):
                        promised[inode] = nil
                    default: break
                    }
                case .barrierBegan(let id, let barrier, _): barriers[id] = barrier
                case .barrierEnded(let id, let errno):
                    guard errno == 0 else {
                        isClean = false
                        continue
                    }
                    guard isClean, case .fsync(let inode)? = barriers[id] else { continue }
                    promised[inode] = file(inode, set.tree(set.survivors(.everything)))
                default: break
                }
                for choice in [.nothing, .seeded(seed), .seeded(seed + 1)] as [Choice] {
                    let tree = set.tree(set.survivors(choice))
                    for (inode, content) in promised where tree.nodes[inode] != nil {
                        #expect(file(inode, tree) == content, "seed \(seed), after event \(set.eventCount)")
                        checked += 1
                    }
                }
            }
        }
        #expect(checked >= 30, "the traces hardly ever promised anything: the test looks at nothing")
    }

    /// Deriving is a function, a list of what is lost leads back to the state, and it survives being text.
    @Test(arguments: Profile.allCases)
    func `the lost atoms of a state derive the same state, also after printing and parsing`(_ profile: Profile) throws {
        for seed in PropertyTests.seeds {
            let script = try TraceGenerator.script(seed: seed)
            let set = try LitmusTrace(script).pendingSet(profile, unitBytes: script.unitBytes)
            var states = (0..<8).map { set.survivors(.seeded(seed * 8 + $0)) }
            set.forEachSurvivors { survivors in
                states.append(survivors)
                return states.count < 60
            }
            for survivors in states {
                let lost = set.lost(survivors)
                let again = set.survivors(.losing(try LostAtoms(parsing: lost.description)))
                #expect(again == survivors, "seed \(seed): \(lost)")
                #expect(set.tree(again) == set.tree(survivors))
                #expect(lost.isEmpty == survivors.keepsEverything)
            }
            #expect(set.lost(set.survivors(.everything)).isEmpty, "seed \(seed)")
            #expect(set.tree(set.survivors(.nothing)) == set.durable, "seed \(seed)")
        }
    }

    /// Smaller units only add states in which a write is torn.
    @Test(arguments: [Profile.strict, .ext4Ordered, .xfs, .posixMin]) func `smaller units only add torn writes`(
        _ profile: Profile
    )
        throws
    {
        for seed in PropertyTests.seeds where seed % 4 == 0 {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            guard let fine = outcomes(trace, profile, unitBytes: 512),
                let coarse = outcomes(trace, profile, unitBytes: 4096)
            else { continue }
            #expect(coarse.isSubset(of: fine), "seed \(seed)")
        }
    }
}
