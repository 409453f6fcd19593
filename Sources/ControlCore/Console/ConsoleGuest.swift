// A guest's console page: what it prints comes out as whole lines, what is typed goes in.
//
// The guest may print without end, print a line without end, or claim bytes that the ring cannot
// hold. Each call takes a bounded number of bytes; a long line is cut; an impossible index ends the
// service of this console and of no other.

public import CXenABI
public import XenABI

/// One guest's console.
public final class ConsoleGuest {
  /// Where whole lines go.
  public typealias Sink = (_ line: Bytes) -> Void

  private var stream: Xen.ByteStream?
  /// Stands in front of each line.
  private let prefix: Bytes
  private var line: Bytes
  /// Typed bytes that found no room in the ring.
  private var input = Bytes()
  private var chunk = Bytes(repeating: 0, count: 512)
  /// Typed bytes that were dropped because the guest does not read.
  public private(set) var droppedInput = 0

  /// Bytes of a line; longer ones are cut.
  public static var lineLimit: Int { 1024 }
  /// Typed bytes that wait.
  public static var inputLimit: Int { 4096 }

  /// Serves a console by its page, which stays mapped as long as this is used.
  public init(
    unsafePage page: UnsafeMutablePointer<Xen.XenconsInterface>, prefix: Bytes = []
  ) {
    self.prefix = prefix
    line = prefix
    var parts = xenabi_stream()
    _ = xencons_interface_begin_backend(&parts, page)
    do throws(Xen.RingBroken) {
      stream = try Xen.ByteStream(unsafeParts: parts)
    } catch {
      stream = nil
    }
  }

  /// Whether the console is still served.
  public var isServed: Bool { stream != nil }

  /// Takes what was printed, a bounded part at most, and hands over whole lines; puts in what was
  /// typed.
  public func run(bytes limit: Int = 2048, _ sink: Sink) -> Progress {
    var progress = Progress()
    var left = limit
    do throws(Xen.RingBroken) {
      while left > 0 {
        let count = try read(min(left, chunk.count))
        if count == 0 { break }
        left -= count
        progress.notify = true
        for index in 0..<count { take(chunk[index], sink) }
      }
      if try write() { progress.notify = true }
    } catch {
      stream = nil
      progress.isBroken = true
    }
    progress.more = left == 0
    return progress
  }

  private func take(_ byte: UInt8, _ sink: Sink) {
    switch byte {
    case UInt8(ascii: "\n"):
      end(sink)
    case UInt8(ascii: "\r"):
      break
    default:
      line.append(byte)
      if line.count - prefix.count >= Self.lineLimit { end(sink) }
    }
  }

  private func end(_ sink: Sink) {
    sink(line)
    line = prefix
  }

  /// Hands over a line that was not ended, when the guest is gone.
  public func finish(_ sink: Sink) {
    if line.count > prefix.count { end(sink) }
  }

  /// Keeps typed bytes for the guest; those beyond the limit are dropped.
  ///
  /// ``run(bytes:_:)`` puts them into the ring.
  public func type(_ bytes: Bytes) {
    let room = max(0, Self.inputLimit - input.count)
    input.append(contentsOf: bytes.prefix(room))
    droppedInput += max(0, bytes.count - room)
  }

  private func read(_ size: Int) throws(Xen.RingBroken) -> Int {
    guard var stream else { return 0 }
    var count = 0
    var isBroken = false
    // SAFETY: `size` is at most the chunk's length.
    chunk.withUnsafeMutableBytes { buffer in
      do throws(Xen.RingBroken) {
        count = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<size]))
      } catch { isBroken = true }
    }
    if isBroken { throw Xen.RingBroken() }
    self.stream = stream
    return count
  }

  private func write() throws(Xen.RingBroken) -> Bool {
    guard var stream, !input.isEmpty else { return false }
    var count = 0
    var isBroken = false
    input.withUnsafeBytes { buffer in
      do throws(Xen.RingBroken) { count = try stream.write(buffer) } catch { isBroken = true }
    }
    if isBroken { throw Xen.RingBroken() }
    self.stream = stream
    input.removeFirst(count)
    return count > 0
  }
}
