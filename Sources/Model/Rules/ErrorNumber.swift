/// An errno of Linux, by number and by name (asm-generic/errno-base.h and errno.h: x86-64, arm64, riscv64).
public struct ErrorNumber: Hashable, Sendable {
    public let rawValue: Int32

    /// nil for a number without a name.
    public init?(rawValue: Int32) {
        guard let index = Int(exactly: rawValue), ErrorNumber.names.indices.contains(index),
            !ErrorNumber.names[index].isEmpty
        else { return nil }
        self.rawValue = rawValue
    }

    /// The errno called `name`, such as ENOSPC; nil if there is none. EWOULDBLOCK, EDEADLOCK and ENOTSUP are synonyms and
    /// print as EAGAIN, EDEADLK and EOPNOTSUPP.
    public init?(name: some StringProtocol) {
        let synonyms = ["EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "ENOTSUP": "EOPNOTSUPP"]
        let name = synonyms[String(name)] ?? String(name)
        guard !name.isEmpty, let index = ErrorNumber.names.firstIndex(of: name) else { return nil }
        rawValue = Int32(index)
    }

    public static let ioError = ErrorNumber(rawValue: 5)!
    public static let interrupted = ErrorNumber(rawValue: 4)!
    public static let noSpace = ErrorNumber(rawValue: 28)!
    public static let quotaExceeded = ErrorNumber(rawValue: 122)!

    public var name: String { ErrorNumber.names[Int(rawValue)] }

    private static let names: [String] = """
        - EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY \
        EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE \
        EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST \
        ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR \
        ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD \
        EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ \
        EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT \
        EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN \
        ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN \
        ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED \
        EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
        """.split(separator: " ").map { $0 == "-" ? "" : String($0) }
}

extension ErrorNumber: CustomStringConvertible {
    public var description: String { name }
}
