import Glibc
import Model

/// Generates random steps on few names and few open files, with sizes around page boundaries.
struct RandomSteps {
    private var random: RandomStream

    init(seed: UInt64) { random = RandomStream(seed: seed) }

    mutating func steps(_ count: Int) -> [Step] { (0..<count).map { _ in step() } }

    private mutating func step() -> Step {
        let slot = Int(draw(4))
        switch draw(100) {
        case 0..<16:
            return .open(slot: slot, path: path(), flags: flags(), mode: [0o644, 0o600, 0o755, 0o666][draw(4)])
        case 16..<19: return .close(slot: slot)
        case 19..<26: return .write(slot: slot, count: size(), fill: fill())
        case 26..<36: return .pwrite(slot: slot, offset: size(), count: size(), fill: fill())
        case 36..<41: return .pread(slot: slot, offset: size(), count: size())
        case 41..<44: return .ftruncate(slot: slot, size: size())
        case 44..<46: return .truncate(path: path(), size: size())
        case 46..<51: return .mkdir(path: path(), mode: [0o755, 0o700, 0o777][draw(3)])
        case 51..<53: return .rmdir(path: path())
        case 53..<57: return .unlink(path: path())
        case 57..<63: return .rename(from: path(), to: path(), flags: [0, 0, 0, 1, 2][draw(5)])
        case 63..<66: return .link(from: path(), to: path())
        case 66..<67: return .symlink(target: path(), path: path())
        case 67..<68: return .readlink(path: path())
        case 68..<69: return .mkfifo(path: path())
        case 69..<71: return .chmod(path: path(), mode: [0o600, 0o644, 0o4755, 0o711][draw(4)])
        case 71..<75: return .stat(path: path())
        case 75..<77: return .fstat(slot: slot)
        case 77..<79: return .list(path: ["", "a", "a/b", "d"][draw(4)])
        case 79..<81: return .setAttribute(path: path(), name: "user.\(draw(2))", value: "\(draw(1000))")
        case 81..<82: return .attribute(path: path(), name: "user.\(draw(2))")
        case 82..<83: return .attributes(path: path())
        case 83..<84: return .removeAttribute(path: path(), name: "user.\(draw(2))")
        case 84..<87: return .fsync(slot: slot)
        case 87..<88: return .fdatasync(slot: slot)
        case 88..<90: return .fsyncDirectory(path: ["", "a", "d"][draw(3)])
        case 90..<93:
            return .fallocate(slot: slot, mode: [0, 1, 3, 0x10, 0x11][draw(5)], offset: size(), count: size())
        case 93..<94: return .seek(slot: slot, offset: size(), whence: [3, 4][draw(2)])
        case 94..<96: return .mapWrite(slot: slot, offset: size(), count: size(), fill: fill())
        case 96..<97: return .mapRead(slot: slot)
        case 97..<99: return .copy(from: slot, to: Int(draw(4)), count: size())
        default: return .setTimes(path: path(), seconds: Int(draw(1_000_000)))
        }
    }

    private mutating func draw(_ bound: Int) -> Int { Int(random.next(upperBound: UInt64(bound))) }

    private mutating func path() -> String {
        ["f", "g", "h", "a", "d", "a/f", "a/g", "a/b", "a/b/f", "d/f", "d/e", "caf\u{e9}", "a/cafe\u{301}"][draw(13)]
    }

    private mutating func flags() -> Int32 {
        let access = [O_RDONLY, O_WRONLY, O_RDWR, O_RDWR][draw(4)]
        let extra = [
            0, O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_TRUNC, O_APPEND | O_CREAT,
            O_CREAT | O_SYNC,
        ][draw(9)]
        return access | extra
    }

    private mutating func size() -> Int {
        switch draw(6) {
        case 0: return draw(40)
        case 1: return 4096 * draw(5)
        case 2: return 4096 * (1 + draw(4)) + draw(21) - 10
        case 3: return 512 * draw(20)
        default: return draw(20_000)
        }
    }

    private mutating func fill() -> UInt8 { UInt8(1 + draw(255)) }
}
