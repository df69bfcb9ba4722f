import Model

/// All data of a recording: the recorded writes and the base contents.
struct MountPayloads: PayloadStore {
    let recorded: any PayloadStore
    let base: UndoStore

    func bytes(of payload: Payload) throws -> [UInt8] {
        try payload.offsetBytes >= UndoStore.firstBase ? base.bytes(of: payload) : recorded.bytes(of: payload)
    }
}
