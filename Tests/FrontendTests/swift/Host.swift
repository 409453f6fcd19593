// The Swift frontends behind the C interface, so that the tests, the fuzzer and the guests of the C
// frontends run with them in their place. Here: the porting layer over xg_os.h, and what has no devices.

import CFrontends
import CXenABI

enum Host: PortingLayer {
  static func pages(_ count: Int) -> UnsafeMutableRawPointer? { xg_os_pages(count) }
  static func freePages(_ pages: UnsafeMutableRawPointer, _ count: Int) {
    xg_os_free_pages(pages, count)
  }
  static func frame(_ page: UnsafeMutableRawPointer) -> UInt64 { xg_os_frame(page) }
  static func map(_ frames: UnsafeBufferPointer<xen_pfn_t>) -> UnsafeMutableRawPointer? {
    xg_os_map(frames.baseAddress, frames.count)
  }
  static func openPort(_ port: UInt32) -> Int32 { xg_os_port_open(port) }
  static func closePort(_ port: UInt32) { xg_os_port_close(port) }
  static func wait(until deadline: UInt64) { xg_os_wait(deadline) }
  static func wake() { xg_os_wake() }
  static func eventOperation(_ command: Int32, _ argument: UnsafeMutableRawPointer) -> Int {
    xg_os_event_op(UInt32(command), argument)
  }
  static func grantOperation(
    _ command: Int32, _ argument: UnsafeMutableRawPointer, _ count: UInt32
  ) -> Int {
    xg_os_grant_op(UInt32(command), argument, count)
  }
  static func start() -> StartPages {
    var found = xg_start()
    xg_os_start(&found)
    var start = StartPages()
    start.storeFrame = found.store_frame
    start.storePort = found.store_port
    start.consoleFrame = found.console_frame
    start.consolePort = found.console_port
    return start
  }
  static func time() -> UInt64 { xg_os_time() }
  static func log(_ line: StaticString) {
    xg_os_log(UnsafeRawPointer(line.utf8Start).assumingMemoryBound(to: CChar.self))
  }
}

/// All that there is one of.
final class World {
  let grants = Grants<Host>()
  let events = Events<Host>()
  let store: Store<Host>
  let console: Console<Host>
  let bus: Bus<Host>

  init() {
    store = Store(events: events)
    console = Console(events: events)
    bus = Bus(store: store, grants: grants)
  }
}

private nonisolated(unsafe) var theWorld: World? = nil

var world: World {
  if let theWorld { return theWorld }
  let made = World()
  theWorld = made
  return made
}

/// A call from the C side: changes that it made to the copies of devices are taken over before, and
/// what has changed here is shown to it after.
func call(_ body: () throws(Failure) -> Void) -> Int32 {
  Devices.adopt()
  defer { Devices.show() }
  do throws(Failure) {
    try body()
    return 0
  } catch {
    return -error.number
  }
}

func text(_ characters: UnsafePointer<CChar>) -> Text {
  Text(
    UnsafeBufferPointer(start: characters, count: xg_length(characters)).map {
      UInt8(bitPattern: $0)
    })
}

public typealias Bytes = UnsafeMutablePointer<CChar>

/// Gives a value with a zero behind it, and its length.
private func copy(_ bytes: [UInt8], _ buffer: Bytes, _ size: Int) throws(Failure) -> Int32 {
  if bytes.count >= size { throw Failure(XEN_E2BIG) }
  for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
  buffer[bytes.count] = 0
  return Int32(bytes.count)
}

private func joined(_ texts: [Text]) -> [UInt8] {
  var bytes: [UInt8] = []
  for text in texts { bytes += text.bytes + [0] }
  return bytes
}

private func reading(_ body: () throws(Failure) -> Int32) -> Int32 {
  var length: Int32 = 0
  let error = call { () throws(Failure) in length = try body() }
  return error != 0 ? error : length
}

// Grants.

@c(xg_grants_start) public func grantsStart(_ frames: UInt32) -> Int32 {
  call { () throws(Failure) in try world.grants.start(frames: frames) }
}

@c(xg_grants_resume) public func grantsResume() -> Int32 {
  call { () throws(Failure) in try world.grants.resume() }
}

@c(xg_grant) public func grant(
  _ domain: UInt16, _ page: UnsafeMutableRawPointer, _ readOnly: Bool
) -> UInt32 {
  world.grants.grant(page, to: domain, readOnly: readOnly) ?? Grants<Host>.none
}

@c(xg_grant_end) public func grantEnd(_ reference: UInt32, _ page: UnsafeMutableRawPointer?) -> Bool
{
  world.grants.end(reference, page)
}

@c(xg_grant_end_free) public func grantEndFree(
  _ reference: UInt32, _ page: UnsafeMutableRawPointer?
) {
  world.grants.endAndFree(reference, page)
}

@c(xg_grants_retry) public func grantsRetry() { world.grants.retry() }
@c(xg_grants_used) public func grantsUsed() -> UInt32 { world.grants.used }
@c(xg_grants_deferred) public func grantsDeferred() -> UInt32 { world.grants.deferred }

// Events.

public typealias Handler = @convention(c) (UnsafeMutableRawPointer?) -> Void

@c(xg_event_open) public func eventOpen(
  _ backend: UInt16, _ handler: Handler, _ context: UnsafeMutableRawPointer?,
  _ port: UnsafeMutablePointer<UInt32>
) -> Int32 {
  call { () throws(Failure) in
    port.pointee = try world.events.open(backend) { handler(context) }
  }
}

@c(xg_event_attach) public func eventAttach(
  _ port: UInt32, _ handler: Handler, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  call { () throws(Failure) in try world.events.attach(port) { handler(context) } }
}

@c(xg_event_close) public func eventClose(_ port: UInt32, _ close: Bool) {
  world.events.close(port, isKept: !close)
}

@c(xg_event_send) public func eventSend(_ port: UInt32) { world.events.send(port) }
@c(xg_event_deliver) public func eventDeliver(_ port: UInt32) {
  _ = call { world.events.deliver(port) }
}
@c(xg_event_forget) public func eventForget() { world.events.forget() }
@c(xg_event_count) public func eventCount() -> UInt32 { UInt32(world.events.count) }

// Console.

@c(xg_console_start) public func consoleStart(
  _ input: Handler?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  world.console.input = input.map { handler in { handler(context) } }
  return consoleResume()
}

@c(xg_console_resume) public func consoleResume() -> Int32 {
  call { () throws(Failure) in try world.console.start() }
}

@c(xg_console_write) public func consoleWrite(_ data: UnsafeRawPointer, _ length: Int) -> Int32 {
  reading { () throws(Failure) in
    Int32(try world.console.write(UnsafeRawBufferPointer(start: data, count: length)))
  }
}

@c(xg_console_write_all) public func consoleWriteAll(
  _ data: UnsafeRawPointer, _ length: Int, _ deadline: UInt64
) -> Int32 {
  call { () throws(Failure) in
    try world.console.writeAll(
      UnsafeRawBufferPointer(start: data, count: length), deadline: deadline)
  }
}

@c(xg_console_read) public func consoleRead(_ data: UnsafeMutableRawPointer, _ size: Int) -> Int32 {
  reading { () throws(Failure) in
    Int32(try world.console.read(into: UnsafeMutableRawBufferPointer(start: data, count: size)))
  }
}

// Xenstore.

@c(xg_store_start) public func storeStart() -> Int32 {
  call { () throws(Failure) in try world.store.start() }
}

@c(xg_store_resume) public func storeResume() -> Int32 {
  call { () throws(Failure) in try world.store.resume() }
}

@c(xg_store_stop) public func storeStop() { world.store.stop() }

@c(xg_store_read) public func storeRead(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>, _ buffer: Bytes, _ size: Int
) -> Int32 {
  reading { () throws(Failure) in
    try copy(try world.store.read(text(path), in: transaction).bytes, buffer, size)
  }
}

@c(xg_store_write) public func storeWrite(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>, _ value: UnsafePointer<CChar>
) -> Int32 {
  call { () throws(Failure) in try world.store.write(text(path), text(value), in: transaction) }
}

@c(xg_store_mkdir) public func storeMkdir(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>
) -> Int32 {
  call { () throws(Failure) in try world.store.makeDirectory(text(path), in: transaction) }
}

@c(xg_store_remove) public func storeRemove(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>
) -> Int32 {
  call { () throws(Failure) in try world.store.remove(text(path), in: transaction) }
}

@c(xg_store_list) public func storeList(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>, _ buffer: Bytes, _ size: Int
) -> Int32 {
  reading { () throws(Failure) in
    try copy(joined(try world.store.list(text(path), in: transaction)), buffer, size)
  }
}

@c(xg_store_get_permissions) public func storeGetPermissions(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>, _ buffer: Bytes, _ size: Int
) -> Int32 {
  reading { () throws(Failure) in
    try copy(joined(try world.store.permissions(of: text(path), in: transaction)), buffer, size)
  }
}

@c(xg_store_set_permissions) public func storeSetPermissions(
  _ transaction: UInt32, _ path: UnsafePointer<CChar>, _ permissions: UnsafeRawPointer, _ size: Int
) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: permissions, count: size)
  let list = bytes.split(separator: 0).map { Text($0) }
  return call { () throws(Failure) in
    try world.store.setPermissions(of: text(path), list, in: transaction)
  }
}

@c(xg_store_begin) public func storeBegin(_ transaction: UnsafeMutablePointer<UInt32>) -> Int32 {
  call { () throws(Failure) in transaction.pointee = try world.store.begin() }
}

@c(xg_store_commit) public func storeCommit(_ transaction: UInt32) -> Int32 {
  call { () throws(Failure) in try world.store.commit(transaction) }
}

@c(xg_store_abort) public func storeAbort(_ transaction: UInt32) -> Int32 {
  call { world.store.abort(transaction) }
}

@c(xg_store_number) public func storeNumber(
  _ directory: UnsafePointer<CChar>, _ key: UnsafePointer<CChar>, _ otherwise: UInt64
) -> UInt64 {
  world.store.number(text(directory) / text(key), otherwise: otherwise)
}

@c(xg_store_write_number) public func storeWriteNumber(
  _ transaction: UInt32, _ directory: UnsafePointer<CChar>, _ key: UnsafePointer<CChar>,
  _ value: UInt64
) -> Int32 {
  call { () throws(Failure) in
    try world.store.write(
      text(directory) / text(key), Text(number: value), in: transaction)
  }
}

@c(xg_store_write_keys) public func storeWriteKeys(
  _ transaction: UInt32, _ directory: UnsafePointer<CChar>, _ keys: UnsafePointer<xg_key>,
  _ count: Int
) -> Int32 {
  for index in 0..<count {
    let error = storeWriteNumber(transaction, directory, keys[index].key, keys[index].value)
    if error != 0 { return error }
  }
  return 0
}

/// The object stands in the structure's `next`, which is private.
private func watch(of place: UnsafeMutablePointer<xg_watch>) -> Unmanaged<Watch>? {
  guard place.pointee.token != 0, let next = place.pointee.next else { return nil }
  return Unmanaged.fromOpaque(next)
}

@c(xg_store_watch) public func storeWatch(_ place: UnsafeMutablePointer<xg_watch>) -> Int32 {
  place.pointee.token = 0
  let path = withUnsafeBytes(of: &place.pointee.path) { Text($0.prefix { $0 != 0 }) }
  return call { () throws(Failure) in
    let watch = try world.store.watch(path) {
      place.pointee.changed(place.pointee.context)
      Devices.show()
    }
    place.pointee.next = Unmanaged.passRetained(watch).toOpaque().assumingMemoryBound(
      to: xg_watch.self)
    place.pointee.token = 1
  }
}

@c(xg_store_unwatch) public func storeUnwatch(_ place: UnsafeMutablePointer<xg_watch>) {
  guard let watch = watch(of: place) else { return }
  world.store.end(watch.takeRetainedValue())
  place.pointee.token = 0
}

@c(xg_store_run_watches) public func storeRunWatches() {
  _ = call { world.store.runWatches() }
}

@c(xg_store_fire) public func storeFire(_ place: UnsafeMutablePointer<xg_watch>) {
  if let watch = watch(of: place) { world.store.fire(watch.takeUnretainedValue()) }
}
