import Bytes
import Glibc
import Storage

@testable import Engine

/// What stores do while they are recorded.
extension RecordedRun {
    /// Puts, deletes and batches over several small segments, with a sync now and then.
    static func mixed(_ bug: PlantedBug? = nil) throws -> RecordedRun {
        let run = try RecordedRun()
        let store = try open(run.storage, small, bug)
        run.acknowledge()
        for index in 0..<60 {
            let key = ByteString("key \(index % 7)")
            let value = [UInt8](repeating: UInt8(index), count: 40 + 97 * (index % 5))
            switch index % 6 {
            case 3:
                try run.step {
                    $0[key] = nil
                } by: {
                    try store.delete(key)
                }
            case 4:
                var batch = WriteBatch()
                batch.put(key, value)
                batch.put("other", value)
                batch.delete("key 1")
                let committed = batch
                try run.step {
                    $0[key] = value
                    $0["other"] = value
                    $0["key 1"] = nil
                } by: {
                    try store.commit(committed)
                }
            default:
                try run.step {
                    $0[key] = value
                } by: {
                    try store.put(key, value)
                }
            }
            if index % 4 == 1 {
                try store.sync()
                run.acknowledge()
            }
        }
        return run
    }

    /// Batches of several sectors, each synced.
    static func batching(_ bug: PlantedBug? = nil) throws -> RecordedRun {
        let run = try RecordedRun()
        let store = try open(run.storage, small, bug)
        run.acknowledge()
        for index in 0..<20 {
            let value = [UInt8](repeating: UInt8(index + 1), count: 700)
            var batch = WriteBatch()
            for key in ["a", "b", "c"] as [ByteString] { batch.put(key, value) }
            let committed = batch
            try run.step {
                for key in ["a", "b", "c"] as [ByteString] { $0[key] = value }
            } by: {
                try store.commit(committed)
            }
            try store.sync()
            run.acknowledge()
        }
        return run
    }

    /// Puts, deletes and compactions, each of which begins with everything acknowledged.
    static func compacting(_ bug: PlantedBug? = nil) throws -> RecordedRun {
        let run = try RecordedRun()
        let store = try open(run.storage, small, bug)
        for index in 0..<140 {
            let key = ByteString("k\(index % 9)")
            let value = [UInt8](repeating: UInt8(index), count: 90)
            if index % 4 == 3 {
                try run.step {
                    $0[key] = nil
                } by: {
                    try store.delete(key)
                }
            } else {
                try run.step {
                    $0[key] = value
                } by: {
                    try store.put(key, value)
                }
            }
            if index % 70 == 69 {
                try store.sync()
                run.acknowledge()
                try store.compact()
            }
        }
        return run
    }

    /// A sync that fails once; the store is used on if it lets itself, and then opened again and used on. Values are
    /// larger than a sector: the kernel writes a whole sector for the smallest change to it.
    static func failingSync(_ bug: PlantedBug? = nil) throws -> RecordedRun {
        let failing = FailingCalls(.sync)
        let run = RecordedRun(recording: try RecordingStorage(InterposedStorage(MemoryStorage(), failing)))
        let value = [UInt8](repeating: 7, count: 1000)
        let first = try open(run.storage, small, bug)
        try run.step {
            $0["a"] = [1]
        } by: {
            try first.put("a", [1])
        }
        try first.sync()
        run.acknowledge()
        try run.step {
            $0["b"] = value
        } by: {
            try first.put("b", value)
        }
        failing.arm(failing: 1)
        try? first.sync()
        if (try? first.put("b", value)) != nil {
            try first.sync()
            run.acknowledge()
        }
        try? first.close()
        let second = try open(run.storage, small, bug)
        run.acknowledge()
        try run.step {
            $0["c"] = value
        } by: {
            try second.put("c", value)
        }
        try second.sync()
        run.acknowledge()
        return run
    }

    /// A store that was left with a whole record behind a lost one, opened and given a record of the lost one's length.
    static func fillingTheGap(_ bug: PlantedBug? = nil) throws -> RecordedRun {
        let before = MemoryStorage()
        let store = try open(before)
        for key in ["a", "b", "c"] as [ByteString] { try store.put(key, [1]) }
        try store.sync()
        var contents = try before.contents()
        let lost = SegmentHeader.sizeBytes + Frame.size(keyCount: 1, payloadCount: 1)
        for index in 0..<Frame.size(keyCount: 1, payloadCount: 1) { contents["0000-0000000001.log"]![lost + index] = 0 }
        let run = try RecordedRun(on: contents, initially: ["a": [1]])
        let again = try open(run.storage, small, bug)
        run.acknowledge()
        try run.step {
            $0["d"] = [1]
        } by: {
            try again.put("d", [1])
        }
        try again.sync()
        run.acknowledge()
        return run
    }
}
