// Package pcapfile reads capture files as one stream of packets and writes small ones.
//
// Formats are told by content, never by name: classic pcap (microseconds and
// nanoseconds, both byte orders, the longer records of the "modified" format, old
// minor versions) and pcapng, each plain or inside gzip or zstd, from files,
// directories or a pipe.
//
// # Many files, one stream
//
// Files are begun in the order of their first packet's time. Files that begin within
// 100 ms of each other are begun as given, unless the first packets of one (64 KiB) are
// all earlier than the other. Within a file the order of packets is never changed. A
// file's clock is the earliest time among the packets read ahead, one to two buffers of
// 256 KiB; a file is begun when the clocks of all open files have passed its first
// packet, and the next packet is always taken from the file whose clock is lowest, at a
// tie from the one begun first.
//
// One exception keeps a capture that was cut in two what it was, although packets
// next to the cut may be out of order: when all that is left of a file has been read
// ahead and the later file does no more than touch it, the earlier file is finished
// first. It only touches it when the times they share span at most 100 ms, or when
// merging them would change from one file to the other at most 16 times. So, while
// disorder stays within that, a capture cut at any packet gives the same packets,
// times and ordinals as the whole, and files captured side by side are interleaved.
// What cannot be told is a second part that begins earlier than the first by more than
// 100 ms or is earlier altogether: it is taken for the first.
package pcapfile
