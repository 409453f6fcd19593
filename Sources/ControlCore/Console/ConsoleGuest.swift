// A guest's console page: what it prints comes out as whole lines, what is typed goes in.
//
// The guest may print without end, print a line without end, or claim bytes that the ring cannot
// hold. Each call takes a bounded number of bytes; a long line is cut; an impossible index ends the
// service of this console and of no other.
//
// Where somebody types, a prompt must not wait for its line's end: the line so far is handed over with
// ETB behind it, which says that the rest follows in the next one.

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
  /// A carriage return that a newline may follow.
  private var heldReturn = false
  /// Somebody types, and sees lines before they end.
  private let isInteractive: Bool
  /// Typed bytes that were dropped because the guest does not read.
  public private(set) var droppedInput = 0

  /// Bytes of a line; longer ones are cut.
  public static var lineLimit: Int { 1024 }
  /// Typed bytes that wait.
  public static var inputLimit: Int { 4096 }
  /// Behind a line that goes on.
  public static var openEnd: UInt8 { 0x17 }

  /// Serves a console by its page, which stays mapped as long as this is used.
  public init(
    unsafePage page: UnsafeMutablePointer<Xen.XenconsInterface>, prefix: Bytes = [],
    isInteractive: Bool = false
  ) {
    self.prefix = prefix
    self.isInteractive = isInteractive
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
    // In front of a newline it says nothing; alone it is the cursor's, if there is one.
    if heldReturn, byte != UInt8(ascii: "\n") { line.append(UInt8(ascii: "\r")) }
    heldReturn = false
    switch byte {
    case UInt8(ascii: "\n"):
      end(sink)
    case UInt8(ascii: "\r"):
      heldReturn = isInteractive
    default:
      line.append(byte)
      if line.count - prefix.count < Self.lineLimit { break }
      if isInteractive { flush(sink) } else { end(sink) }
    }
  }

  /// Whether a line has begun that ``flush(_:)`` would hand over.
  public var isLineOpen: Bool { isInteractive && line.count > prefix.count }

  /// Hands over what there is of a line, as one that goes on.
  public func flush(_ sink: Sink) {
    guard isLineOpen else { return }
    line.append(Self.openEnd)
    end(sink)
  }
  private func end(_ sink: Sink) {
    sink(line)
    line = prefix
  }

  /// Hands over a line that was not ended, when the guest is gone.
  public func finish(_ sink: Sink) {
    if line.count > prefix.count { end(sink) }
  }

  /// How many typed bytes would be kept.
  public var inputRoom: Int { isServed ? max(0, Self.inputLimit - input.count) : 0 }

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
