import Bytes
import Testing

@testable import Block

/// What of a checker's output is told: what is wrong with the image, and not what it says of each.
struct CheckComplaintTests {
    private static let cases: [(words: [String], lines: [String], says: String)] = [
        (
            ["e2fsck", "-f", "-n"],
            [
                "e2fsck 1.47.0 (5-Feb-2023)", "Pass 1: Checking inodes, blocks, and sizes",
                "Entry 'a' in / (2) has deleted/unused inode 13. Clear? no", "Pass 2: Checking directory structure",
                "Inode bitmap differences: +13", "Fix? no",
                "/run/disk: ********** WARNING: Filesystem still has errors **********",
                "/run/disk: 12/16384 files (0.0% non-contiguous), 1038/16384 blocks",
            ],
            "e2fsck -f -n exited with 4: Entry 'a' in / (2) has deleted/unused inode 13. Clear? no | "
                + "Inode bitmap differences: +13"
        ),
        (
            ["xfs_repair", "-n", "-f"],
            [
                "Phase 1 - find and verify superblock...", "- scan filesystem freespace and inode maps...",
                "sb_ifree 61, counted 60", "No modify flag set, skipping filesystem flush and exiting.",
            ], "xfs_repair -n -f exited with 4: sb_ifree 61, counted 60"
        ),
        // Nothing but the usual is told as it is, without the image's place.
        (["e2fsck"], ["e2fsck 1.47.0 opens /run/disk"], "e2fsck exited with 4: e2fsck 1.47.0 opens the image"),
        (
            ["btrfs"], (1...9).map { "bad \($0)" },
            "btrfs exited with 4: bad 1 | bad 2 | bad 3 | bad 4 | bad 5 | bad 6 | and 3 more lines"
        ),
    ]

    @Test(arguments: cases.indices) func `what is wrong is told, and no more`(index: Int) {
        let (words, lines, says) = Self.cases[index]
        let outcome = FilesystemTool.Outcome(isSuccess: false, ending: "exited with 4", lines: lines)
        #expect(CheckComplaint.words(of: outcome, words, image: "/run/disk") == says)
    }
}
