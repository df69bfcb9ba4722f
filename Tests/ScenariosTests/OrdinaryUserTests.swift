import Bytes
import Foundation
import Testing

/// What an ordinary user can do, shown by root who becomes one: in mount namespaces of its own, where /dev/fuse is open to
/// all, and from which nothing is left.
@Suite(.enabled(if: OrdinaryUser.reasonToSkip == nil, "\(OrdinaryUser.reasonToSkip ?? "")"))
struct OrdinaryUserTests {
    @Test(arguments: OrdinaryUser.Way.allCases) func thePowerIsCutAndTheStoreRecovers(_ way: OrdinaryUser.Way) throws {
        let answer = try OrdinaryUser().run(
            way, "run", "engine", "--scenario", "power-cut", "--ops", "12", "--cycles", "1", "--json")
        #expect(answer.status == 0, "\(answer)")
        let result = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
        #expect(result["verdict"] as? String == "pass")
        let cuts = (result["controls"] as? [String: Any])?["cutsLanded"] as? Int
        #expect(cuts ?? 0 > 0)
    }

    @Test(arguments: OrdinaryUser.Way.allCases) func theDoctorSaysWhichWayIsUsed(_ way: OrdinaryUser.Way) throws {
        let answer = try OrdinaryUser().run(way, "doctor")
        #expect(answer.status == 0)
        let name = way == .helper ? "through fusermount3" : "in a user namespace"
        let line = answer.output.split(separator: "\n").first { $0.hasPrefix(name) }
        #expect(line?.contains(" used here ") == true, "\(answer)")
        let sandbox = answer.output.split(separator: "\n").first { $0.hasPrefix("mount namespace") }
        #expect(sandbox?.contains(" works ") == true, "\(answer)")
    }

    @Test(arguments: OrdinaryUser.Way.allCases, HostileCase.links.indices)
    func aForeignCaseCannotLeaveItsState(_ way: OrdinaryUser.Way, _ index: Int) throws {
        let scratch = Scratch()
        let hostile = try HostileCase(HostileCase.links[index].links, in: scratch)
        // What a user may write, and everything is a user's own.
        let everything = try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path).map { "/" + $0 } + [""]
        for path in everything { #expect(chown(scratch.url.path + path, 65534, 65534) == 0) }
        let before = try hostile.picture
        let replay = ["replay", "\(hostile.directory)", "--target", hostile.manifest]
        let answer = try OrdinaryUser().run(way, replay)
        #expect(answer.status == 1 && answer.output.contains("recovered in a sandbox"), "\(answer)")
        #expect(try hostile.picture == before)
        let free = try OrdinaryUser().run(way, replay + ["--no-sandbox"])
        #expect(free.status == 1, "\(free)")
        #expect(try hostile.picture != before)
    }
}

/// A user without privileges, for one command each.
struct OrdinaryUser {
    enum Way: String, CaseIterable, Sendable {
        /// fusermount3 is set-user-ID root.
        case helper
        /// There is no fusermount3: the user is root of a user namespace.
        case namespace
    }

    /// nobody
    private static let user = "65534"

    /// $1 is a directory of ours, $2 where the program is, $3 the way. The program may lie where the user may not look.
    private static let script = """
        set -eu
        home=$1; products=$2; way=$3; shift 3
        mkdir "$home/dev" "$home/bin" "$home/runs"
        chmod 0755 "$home"
        chown \(user) "$home/runs"
        mount -t tmpfs -o mode=0755 dev "$home/dev"
        mknod -m 0666 "$home/dev/fuse" c 10 229
        mount --bind "$home/dev/fuse" /dev/fuse
        mount --bind "$products" "$home/bin"
        cd "$home/runs"
        if [ "$way" = namespace ]; then
            if helper=$(command -v fusermount3); then mount --bind /dev/null "$helper"; fi
            set -- unshare -Urm "$home/bin/faultline" "$@"
        else
            set -- "$home/bin/faultline" "$@"
        fi
        exec setpriv --reuid \(user) --regid \(user) --clear-groups env "HOME=$home/runs" "TMPDIR=$home/runs" "$@"
        """

    /// Runs the program to its end, without privileges.
    func run(_ way: Way, _ arguments: String...) throws -> Faultline.Answer { try run(way, arguments) }

    func run(_ way: Way, _ arguments: [String]) throws -> Faultline.Answer {
        let scratch = Scratch()
        let products = URL(filePath: try #require(Faultline.path)).deletingLastPathComponent().path
        return try Faultline.run(
            ["unshare", "--mount", "sh", "-c", Self.script, "sh", scratch.url.path, products, way.rawValue]
                + arguments, of: "/usr/bin/env")
    }

    /// Why this cannot be tried here.
    static let reasonToSkip: String? = {
        func reason() -> String? {
            guard geteuid() == 0 else { return "takes root, who becomes an ordinary user" }
            guard TestMachine.hasFUSE else { return "needs /dev/fuse" }
            for way in Way.allCases {
                let answer = try? OrdinaryUser().run(way, "--version")
                guard answer?.status == 0 else {
                    return "root cannot become a user with /dev/fuse (\(way.rawValue)): \(answer?.error ?? "")"
                }
            }
            return nil
        }
        let found = reason()
        if let found { print("SKIPPED: tests as an ordinary user: \(found)") }
        return found
    }()
}
