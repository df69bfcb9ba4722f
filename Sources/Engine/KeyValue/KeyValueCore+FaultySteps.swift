extension KeyValueCore {
    /// Writes the records of a batch separately: the wrong step of a planted bug.
    func commitInParts(_ batch: WriteBatch) throws(EngineError) -> LSN {
        var last = LSN.none
        for part in batch.parts {
            last = part.type == .batchPut ? try put(part.key, part.payload) : try delete(part.key)
            try log.sync()
        }
        return last
    }
}
