import Model

/// The data of a recording as a whole: what was written, and what the files held before.
struct MountPayloads: PayloadStore {
    let recorded: any PayloadStore
    let base: UndoStore

    func bytes(of payload: Payload) throws -> [UInt8] {
        try payload.offsetBytes >= UndoStore.firstBase ? base.bytes(of: payload) : recorded.bytes(of: payload)
    }
}
