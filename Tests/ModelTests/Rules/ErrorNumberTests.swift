import Glibc
import Model
import Testing

struct ErrorNumberTests {
    /// Against the C library's own constants, from the first to the last.
    static let known: [(name: String, value: Int32)] = [
        ("EPERM", EPERM), ("ENOENT", ENOENT), ("EINTR", EINTR), ("EIO", EIO), ("EAGAIN", EAGAIN), ("EEXIST", EEXIST),
        ("EFBIG", EFBIG), ("ENOSPC", ENOSPC), ("EROFS", EROFS), ("EDEADLK", EDEADLK), ("ELOOP", ELOOP),
        ("ENOMSG", ENOMSG), ("EBADSLT", EBADSLT), ("EBFONT", EBFONT), ("EILSEQ", EILSEQ), ("EOPNOTSUPP", EOPNOTSUPP),
        ("ETIMEDOUT", ETIMEDOUT), ("ESTALE", ESTALE), ("EUCLEAN", EUCLEAN), ("EREMOTEIO", EREMOTEIO),
        ("EDQUOT", EDQUOT), ("ECANCELED", ECANCELED), ("EHWPOISON", EHWPOISON),
    ]

    @Test(arguments: known) func `an errno has the number of the C library`(_ row: (name: String, value: Int32)) {
        #expect(ErrorNumber(name: row.name)?.rawValue == row.value)
    }

    @Test func `every errno is found by its name`() {
        let named = (Int32(-1)...200).compactMap { ErrorNumber(rawValue: $0) }
        #expect(named.count == 131)
        for error in named { #expect(ErrorNumber(name: error.name) == error) }
    }

    @Test(arguments: ["", "-", "E", "EFOO", "eio", "5"]) func `an unknown errno name is refused`(_ name: String) {
        #expect(ErrorNumber(name: name) == nil)
    }

    @Test func `synonyms of errno names are known`() {
        #expect(ErrorNumber(name: "EWOULDBLOCK")?.name == "EAGAIN")
        #expect(ErrorNumber(name: "ENOTSUP")?.rawValue == ENOTSUP)
    }
}
