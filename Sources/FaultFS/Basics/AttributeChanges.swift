import Glibc

/// The fields of a setattr; nil leaves a field unchanged.
struct AttributeChanges {
    var mode: mode_t?
    var owner: uid_t?
    var group: gid_t?
    var sizeBytes: Int64?
    /// tv_nsec may be UTIME_OMIT or UTIME_NOW.
    var times: (accessed: timespec, modified: timespec)?
}
