import CYardsticks

/// Another store that the engine is measured against, through its C library, where that is installed.
package enum PeerStore: String, CaseIterable {
    case levelDB = "leveldb"
    case rocksDB = "rocksdb"

    /// The peers that are not installed here, so that their absence is said.
    package static var absent: [PeerStore] { allCases.filter { !$0.isInstalled } }

    /// How it stands in a table.
    package var title: String {
        switch self {
        case .levelDB: "LevelDB, sync on"
        case .rocksDB: "RocksDB, sync on"
        }
    }

    var isInstalled: Bool { yardstick_has_peer(rawValue) != 0 }
}
