// A disk of an array that does its commands late and in any order.

public import ControlCore

/// A disk.
public final class FakeDisk: BlockDevice {
  /// The sectors' bytes.
  public var contents: Bytes
  public var isReadOnly = false
  public var canFlush = true
  public var canDiscard = true
  public var canDiscardSecurely = false
  /// Commands that it takes at once.
  public var depth = 16
  /// Sectors that cannot be read or written.
  public var badSectors: Set<UInt64> = []
  /// Commands that wait to be done.
  public private(set) var commands: [BlockCommand] = []
  /// What was done, in order: action and first sector.
  public private(set) var history: [(action: BlockAction, sector: UInt64)] = []

  /// A disk of zeros.
  public init(sectors: Int) { contents = Bytes(repeating: 0, count: sectors * 512) }

  public var sectorCount: UInt64 { UInt64(contents.count / 512) }

  public func submit(_ command: BlockCommand) -> Bool {
    guard commands.count < depth else { return false }
    // What a driver relies on.
    if command.action != .flush {
      precondition(command.sectorCount > 0 && command.sector + command.sectorCount <= sectorCount)
      precondition(command.action == .read || !isReadOnly)
    }
    if command.action == .read || command.action == .write {
      precondition(command.pieces.reduce(0) { $0 + $1.count } == Int(command.sectorCount) * 512)
    }
    commands.append(command)
    return true
  }

  /// Does one of the waiting commands; returns its token and how it went.
  public func finishOne(_ index: Int = 0) -> (token: UInt64, isGood: Bool)? {
    guard index < commands.count else { return nil }
    let command = commands.remove(at: index)
    history.append((command.action, command.sector))
    let range = command.sector..<command.sector + command.sectorCount
    if badSectors.contains(where: { range.contains($0) }) { return (command.token, false) }
    var place = Int(command.sector) * 512
    for piece in command.pieces {
      for offset in 0..<piece.count {
        if command.action == .read {
          piece.address.storeBytes(
            of: contents[place + offset], toByteOffset: offset, as: UInt8.self)
        } else {
          contents[place + offset] = piece.address.load(fromByteOffset: offset, as: UInt8.self)
        }
      }
      place += piece.count
    }
    if command.action == .discard {
      for byte in place..<place + Int(command.sectorCount) * 512 { contents[byte] = 0 }
    }
    return (command.token, true)
  }
}
