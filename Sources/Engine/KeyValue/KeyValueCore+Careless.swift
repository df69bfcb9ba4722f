extension KeyValueCore {
    /// Instead of the step that a planted bug skips: writes a batch as if its parts were not one.
    func commitInParts(_ batch: WriteBatch) throws(EngineError) -> LSN {
        var last = LSN.none
        for part in batch.parts {
            last = part.type == .batchPut ? try put(part.key, part.payload) : try delete(part.key)
            try log.sync()
        }
        return last
    }
}
