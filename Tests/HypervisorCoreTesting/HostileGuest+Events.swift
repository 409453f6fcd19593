// The hostile guest's calls on event channels, and its stores to the words that it shares.

import CXenABI
import HypervisorCore

extension HostileGuest {
  /// Two control blocks and a page of words, which chance alone would rarely give.
  func enterFIFO(_ caller: Caller, _ own: [MachineFrame]) {
    let control = UInt32(truncatingIfNeeded: own[12].number)
    for vcpu: UInt32 in 0..<2 {
      _ = bench.eventOperation(11, [control, 0, vcpu * 128, vcpu], from: caller)
    }
    _ = bench.eventOperation(12, [UInt32(truncatingIfNeeded: own[13].number), 0], from: caller)
  }

  /// Another vcpu of the guest's changes words while the hypervisor does: some calls meet that.
  private func interfere(with call: () -> Int64?) -> Int64? {
    guard random.below(4) == 0 else { return call() }
    bench.machine.interference = { [unowned self] frame, word in
      guard random.below(2) == 0, bench.hypervisor.frames[frame].pointee.type == .writable else {
        return
      }
      word.pointee ^= 1 << UInt64(random.pick([0, 28, 29, 30, 31, 60, 61, 62, 63]))
    }
    defer { bench.machine.interference = nil }
    return call()
  }

  /// event_channel_op with arguments that are nearly right.
  func eventCall(_ caller: Caller, _ own: [MachineFrame], _ limit: Int) -> (String, Int64?) {
    let command: UInt64 = random.pick([
      0, 0, 1, 3, 4, 4, 4, 4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 11, 11, 12, 13, 14, 15,
    ])
    let domain: UInt32 = random.pick([0x7ff0, 1, 2, 3])
    let port = anyPort()
    let small = UInt32(random.below(3))
    let frame = anyFrame(own).number
    let frameHalves = [UInt32(truncatingIfNeeded: frame), UInt32(truncatingIfNeeded: frame >> 32)]
    let fields: [UInt32] =
      switch command {
      case 0, 5: [domain, port]
      case 1: [UInt32(random.below(26)), small]
      case 6: [0x7ff0 | random.pick([0x7ff0, 1, 2]) << 16]
      case 7: [small]
      case 10, 14: [random.below(4) == 0 ? 0x7ff0 : 2]
      case 11: frameHalves + [random.pick([0, 0, 8, 4024, 4032, 4, ~0 - 7]), small]
      case 12: frameHalves
      case 13: [port, random.pick([0, 1, 7, 15, 16])]
      default: [port, small]
      }
    let result = interfere { bench.eventOperation(command, fields, limit: limit, from: caller) }
    return (note("event_channel_op \(command) \(fields)"), result)
  }

  /// The poll of one vcpu begins or ends.
  func pollCall(_ caller: Caller) -> (String, Int64?) {
    if random.below(3) == 0 {
      bench.hypervisor.endPoll(of: caller.vcpu, in: caller.domain)
      return (note("poll ends"), 0)
    }
    let count: UInt32 = random.pick([0, 1, 1, 2, 128, 129])
    let array = FakeMachine.windowBase.value + 1024
    for index in 0..<min(Int(count), 128) {
      bench.machine.poke(half: anyPort(), at: 1024 + index * 4)
    }
    let timeout: UInt64 = random.pick([0, 1, 1 << 40])
    bench.machine.poke([random.below(8) == 0 ? 1 << 46 : array, UInt64(count), timeout], at: 0)
    var result: Int64 = 0
    do throws(HypercallError) {
      _ = try bench.hypervisor.beginPoll(FakeMachine.windowBase, from: caller)
    } catch { result = -error.rawValue }
    return (note("poll of \(count) ports until \(timeout)"), result)
  }

  /// vcpu_op; half of the time VCPUOP_initialise, whose tables and descriptors are nearly right.
  func vcpuCall(_ caller: Caller, _ own: [MachineFrame], _ limit: Int) -> (String, Int64?) {
    let vcpu: UInt32 = random.pick([0, 1, 1, 1, 2])
    if random.below(2) == 0 {
      var context = GuestContext(kernelTable: random.below(2) == 0 ? own[0] : anyFrame(own))
      if random.below(2) == 0 { context.userTable = anyFrame(own) }
      context.descriptorCount = random.pick([0, 0, 1, 512, 513, 7168, 7169, ~0])
      context.descriptorFrames = (0..<14).map { _ in anyFrame(own) }
      context.localTableCount = random.pick([0, 0, 0, 1, 8192, 8193, 1 << 32])
      context.localTableBase = random.pick([0, 4096, 8, 0xffff_8000_0000_0000])
      context.flags = random.below(8) == 0 ? 0 : context.flags
      bench.poke(context)
      let result = bench.initialise(vcpu, limit: limit, from: caller)
      return (note("vcpu_op initialise \(vcpu) \(context)"), result)
    }
    let command = UInt64(random.below(15))
    bench.machine.poke([anyFrame(own).number, UInt64(random.pick([0, 64, 4032, 4033]))], at: 0)
    let words = HypercallArguments(command, UInt64(vcpu), FakeMachine.windowBase.value)
    var result: Int64 = 0
    do throws(HypercallError) {
      _ = try bench.hypervisor.vcpuOperation(words, from: caller)
    } catch { result = -error.rawValue }
    return (note("vcpu_op \(command) of \(vcpu)"), result)
  }

  /// A store to a word that the hypervisor and the guest both change: masks and pending bits, control
  /// blocks, event words with links to anywhere.
  func storeToShared(_ caller: Caller) -> String {
    let domain = caller.domain
    var frames: [MachineFrame] = []
    if let page = domain.pointee.sharedInfo { frames.append(page) }
    for index in 0..<domain.pointee.vcpuCount {
      if let frame = domain.pointee.vcpus[index].pointee.controlFrame { frames.append(frame) }
    }
    if let array = domain.pointee.eventArray {
      for index in 0..<domain.pointee.eventArrayCount {
        let frame = MachineFrame(bench.machine.words(of: array)[index])
        frames += [frame, frame]
      }
    }
    guard !frames.isEmpty else { return "no store" }
    let frame = random.pick(frames)
    let index = random.pick([0, 0, 1, 1, 2, 3, 7, 8, 256, 320, 503, 511])
    let flags: UInt64 = random.pick([0, 1 << 31, 1 << 30, 1 << 29, 3 << 28, 7 << 29])
    let link = UInt64(random.pick([0, 1, 2, 3, 1023, 1024, 0x1ffff]))
    let value = random.pick([0, ~0, (flags | link) << 32 | flags | link, random.next()])
    bench.machine.words(of: frame)[index] = value
    return note("store \(String(value, radix: 16)) to frame \(frame.number), word \(index)")
  }

  private func anyPort() -> UInt32 {
    switch random.below(8) {
    case 0: UInt32(random.below(Bench.portCount + 2))
    case 1: random.pick([0, 255, 256, 1023, 1024, 4095, 4096, 0x1ffff, 0x20000, ~0])
    default: UInt32(random.below(5))
    }
  }
}
