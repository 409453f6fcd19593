// The Swift version behind the driver's names. Compiled as Embedded Swift together with XenABI.

import CXenABI

struct Request: BitwiseCopyable {
  var id: UInt64
  var kind: UInt32
  var check: UInt32
  var more: UInt64
}

struct Response: BitwiseCopyable {
  var id: UInt64
  var status: Int32
  var check: UInt32
}

typealias Front = Xen.FrontRing<Request, Response>
typealias Back = Xen.BackRing<Request, Response>

private func front(_ state: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Front> {
  state.assumingMemoryBound(to: Front.self)
}

private func back(_ state: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Back> {
  state.assumingMemoryBound(to: Back.self)
}

private func stream(_ state: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Xen.ByteStream> {
  state.assumingMemoryBound(to: Xen.ByteStream.self)
}

@_cdecl("swift_front_init")
public func frontInit(
  _ state: UnsafeMutableRawPointer, _ page: UnsafeMutableRawPointer, _ bytes: UInt32
) -> Int32 {
  guard let ring = Front(unsafePage: page, byteCount: Int(bytes)) else { return 0 }
  state.initializeMemory(as: Front.self, to: ring)
  return 1
}

@_cdecl("swift_front_put")
public func frontPut(_ state: UnsafeMutableRawPointer, _ request: UnsafeRawPointer) -> Int32 {
  front(state).pointee.put(request.load(as: Request.self)) ? 1 : 0
}

@_cdecl("swift_front_push")
public func frontPush(_ state: UnsafeMutableRawPointer) -> Int32 {
  front(state).pointee.push() ? 1 : 0
}

@_cdecl("swift_front_take")
public func frontTake(
  _ state: UnsafeMutableRawPointer, _ response: UnsafeMutableRawPointer
) -> Int32 {
  do {
    guard let value = try front(state).pointee.take() else { return 0 }
    response.storeBytes(of: value, as: Response.self)
    return 1
  } catch {
    return -1
  }
}

@_cdecl("swift_front_wait")
public func frontWait(_ state: UnsafeMutableRawPointer) -> Int32 {
  front(state).pointee.wait() ? 1 : 0
}

@_cdecl("swift_back_init")
public func backInit(
  _ state: UnsafeMutableRawPointer, _ page: UnsafeMutableRawPointer, _ bytes: UInt32
) -> Int32 {
  guard let ring = Back(unsafePage: page, byteCount: Int(bytes)) else { return 0 }
  state.initializeMemory(as: Back.self, to: ring)
  return 1
}

@_cdecl("swift_back_take")
public func backTake(
  _ state: UnsafeMutableRawPointer, _ request: UnsafeMutableRawPointer
) -> Int32 {
  do {
    guard let value = try back(state).pointee.take() else { return 0 }
    request.storeBytes(of: value, as: Request.self)
    return 1
  } catch {
    return -1
  }
}

@_cdecl("swift_back_put")
public func backPut(_ state: UnsafeMutableRawPointer, _ response: UnsafeRawPointer) -> Int32 {
  back(state).pointee.put(response.load(as: Response.self)) ? 1 : 0
}

@_cdecl("swift_back_push")
public func backPush(_ state: UnsafeMutableRawPointer) -> Int32 {
  back(state).pointee.push() ? 1 : 0
}

@_cdecl("swift_back_wait")
public func backWait(_ state: UnsafeMutableRawPointer) -> Int32 {
  back(state).pointee.wait() ? 1 : 0
}

@_cdecl("swift_stream_init")
public func streamInit(
  _ state: UnsafeMutableRawPointer, _ page: UnsafeMutableRawPointer, _ isGuest: Int32
) -> Int32 {
  let input = page.assumingMemoryBound(to: UInt8.self)
  let output = input + 1024
  let words = (page + 3072).assumingMemoryBound(to: UInt32.self)
  var parts = xenabi_stream()
  let isGuest = isGuest != 0
  parts.in = isGuest ? input : output
  parts.in_size = isGuest ? 1024 : 2048
  parts.in_cons = isGuest ? words : words + 2
  parts.in_prod = isGuest ? words + 1 : words + 3
  parts.out = isGuest ? output : input
  parts.out_size = isGuest ? 2048 : 1024
  parts.out_cons = isGuest ? words + 2 : words
  parts.out_prod = isGuest ? words + 3 : words + 1
  do {
    state.initializeMemory(
      as: Xen.ByteStream.self, to: try Xen.ByteStream(unsafeParts: parts))
    return 1
  } catch {
    return -1
  }
}

@_cdecl("swift_stream_write")
public func streamWrite(
  _ state: UnsafeMutableRawPointer, _ data: UnsafeRawPointer, _ length: UInt32
) -> Int32 {
  do {
    return Int32(
      try stream(state).pointee.write(UnsafeRawBufferPointer(start: data, count: Int(length))))
  } catch {
    return -1
  }
}

@_cdecl("swift_stream_read")
public func streamRead(
  _ state: UnsafeMutableRawPointer, _ data: UnsafeMutableRawPointer, _ length: UInt32
) -> Int32 {
  do {
    return Int32(
      try stream(state).pointee.read(
        into: UnsafeMutableRawBufferPointer(start: data, count: Int(length))))
  } catch {
    return -1
  }
}
