import CYardsticks

/// Another store to compare the engine with, through its C library if installed.
package enum PeerStore: String, CaseIterable {
    case levelDB = "leveldb"
    case rocksDB = "rocksdb"

    /// The peers that are not installed here, to be reported.
    package static var absent: [PeerStore] { allCases.filter { !$0.isInstalled } }

    /// The title in a table.
    package var title: String {
        switch self {
        case .levelDB: "LevelDB, sync on"
        case .rocksDB: "RocksDB, sync on"
        }
    }

    var isInstalled: Bool { yardstick_has_peer(rawValue) != 0 }
}
