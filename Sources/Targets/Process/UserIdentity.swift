import Bytes
import CPlatform
import Glibc

/// A user of this machine, with its groups, to run a command as.
struct UserIdentity: Sendable {
    let user: uid_t
    let group: gid_t
    let groups: [gid_t]
    let home: ByteString

    /// Looks a user up.
    ///
    /// - Throws: `userUnknown`, or `userNotAllowed` unless this process is root.
    init(named name: String) throws(TargetError) {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
            throw .userUnknown(name)
        }
        guard geteuid() == 0 else { throw .userNotAllowed(name) }
        (user, group) = (entry.pw_uid, entry.pw_gid)
        home = ByteString(cString: entry.pw_dir)
        var list = [gid_t](repeating: 0, count: 256)
        var count = Int32(list.count)
        groups = getgrouplist(name, entry.pw_gid, &list, &count) < 0 ? [entry.pw_gid] : Array(list.prefix(Int(count)))
    }

    /// Passes it as a spawn request's identity.
    func withRequest<Result>(_ body: (UnsafePointer<faultline_identity>) -> Result) -> Result {
        groups.withUnsafeBufferPointer { groups in
            var identity = faultline_identity()
            (identity.user, identity.group) = (user, group)
            (identity.groups, identity.group_count) = (groups.baseAddress, groups.count)
            return withUnsafePointer(to: identity, body)
        }
    }
}
