"""Files that are uploaded or downloaded, and the check that they are images."""
