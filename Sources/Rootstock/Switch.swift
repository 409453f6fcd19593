// The way out to a guest: work that waits is done, the scheduler asked, events delivered. A vcpu's
// registers stand at the top of the CPU's main stack while it runs; a switch exchanges them.

import CMachine
import HypervisorCore

/// What a CPU is to do before a guest goes on: bits of xg_percpu.work, which only that CPU changes.
enum Work {
  /// The scheduler decides anew.
  static let schedule: UInt64 = 1
  /// A deadline is reached.
  static let timer: UInt64 = 2
  /// The vcpu that runs has come to its kernel, where its run state can be told.
  static let runstate: UInt64 = 4
  /// Devices have interrupted.
  static let device: UInt64 = 8

  /// Asks this CPU for it.
  @inline(__always) static func request(_ bit: UInt64) { xg_this_cpu().pointee.work |= bit }
}

/// Every way out to a guest ends here: for the vcpu that runs, and as WayBack has it.
@inline(__always)
func leave(_ vcpu: GuestProcessorPointer, _ frame: FramePointer, by way: Int32) -> Int32 {
  if xg_this_cpu().pointee.work != 0 { return leaveAfterWork(frame) }
  return vcpu.pointee.isUpcallPending ? leaveWithEvent(vcpu, frame, by: way) : way
}

/// The way out of a hypercall: by sysretq if that is possible.
@inline(__always)
func leave(_ vcpu: GuestProcessorPointer, _ frame: FramePointer) -> Int32 {
  if xg_this_cpu().pointee.work != 0 { return leaveAfterWork(frame) }
  return vcpu.pointee.isUpcallPending
    ? leaveWithEvent(vcpu, frame, by: WayBack.systemReturn) : wayOfSystemReturn(frame)
}

/// With an event that waits, masked or not.
@inline(never)
private func leaveWithEvent(
  _ vcpu: GuestProcessorPointer, _ frame: FramePointer, by way: Int32
) -> Int32 {
  guard vcpu.pointee.deliverEvents(frame) else {
    return way == WayBack.systemReturn ? wayOfSystemReturn(frame) : way
  }
  if xg_this_cpu().pointee.work != 0 { return leaveAfterWork(frame) }
  return way == WayBack.full ? way : wayToHandler(frame)
}

@inline(never)
private func leaveAfterWork(_ frame: FramePointer) -> Int32 {
  repeat {
    Switch.work(frame)
    _ = GuestProcessor.current.pointee.deliverEvents(frame)
  } while xg_this_cpu().pointee.work != 0
  return WayBack.full
}

/// Changes of what a CPU runs.
enum Switch {
  // SAFETY: under the scheduler lock; made by Memory.swift before it is used.
  nonisolated(unsafe) static var scheduler: Scheduler?
  /// CPUs without a vcpu to run.
  nonisolated(unsafe) private(set) static var idle = ProcessorSet.none

  /// Does what waits until nothing does.
  static func work(_ frame: FramePointer) {
    let cpu = xg_this_cpu()
    repeat {
      let work = cpu.pointee.work
      cpu.pointee.work = 0
      if work & Work.timer != 0 {
        Timers.expire()
        if Host.clock.now >= Whereabouts.due { Whereabouts.tell(frame) }
      }
      if work & Work.device != 0 { InterruptController.deliver() }
      if work & Work.runstate != 0, cpu.pointee.vcpu != 0 {
        GuestProcessor.current.pointee.publishStaleRunstate()
      }
      if Reaper.isNeeded { Reaper.step() }
      if work & Work.schedule != 0 || cpu.pointee.vcpu == 0 { schedule(frame) }
      // Whoever is idle waits for an interrupt, and looks again.
      if cpu.pointee.vcpu == 0 && cpu.pointee.work == 0 && !Reaper.isNeeded {
        Timers.program()
        xg_sti_halt_cli()
      }
    } while cpu.pointee.work != 0 || cpu.pointee.vcpu == 0
    Timers.program()
    if GuestProcessor.current.pointee.isNMIDue { GuestProcessor.current.pointee.deliverNMI(frame) }
  }

  /// Asks the scheduler, and switches if it says so.
  ///
  /// A vcpu's registers are saved under the same hold of the lock that lets others see it as not
  /// running, so that no CPU takes it up half saved.
  private static func schedule(_ frame: FramePointer) {
    let cpu = xg_this_cpu()
    let here = ProcessorID(UInt8(truncatingIfNeeded: cpu.pointee.index))
    let now = Host.clock.now
    Lock.scheduler.take()
    var isBlocked = false
    if cpu.pointee.vcpu != 0 {
      let state = GuestProcessor.current.pointee.wantedState()
      if state != .runnable { scheduler?.stop(on: here, as: state, now: now) }
      isBlocked = state == .blocked
    }
    guard let decision = scheduler?.decide(for: here, now: now) else {
      panic("the scheduler is used before it is there")
    }
    cpu.pointee.slice_end = decision.until ?? .max
    let next = decision.next.map { slots[$0.index] } ?? 0
    let previous = cpu.pointee.vcpu
    if next != previous {
      if previous != 0 {
        let old = GuestProcessor.current
        old.pointee.saved = frame.pointee
        old.pointee.save()
        old.pointee.publishRunstate(now: now)
      }
      cpu.pointee.vcpu = next
    }
    var isResumed = false
    if next == 0 {
      idle.insert(here)
      if previous != 0 { cpu.pointee.resumable = isBlocked ? previous : 0 }
    } else {
      idle.remove(here)
      isResumed = LoadedTables.claim(next, here)
    }
    // One that was made to wait here may run on a CPU that has nothing to do.
    var helper = ProcessorSet.none
    if next != 0, let waiting = scheduler?.waitingCount, waiting > 0 {
      if !idle.isEmpty {
        helper.insert(ProcessorID(UInt8(idle.bits.trailingZeroBitCount)))
      } else if let endless = scheduler?.endlessProcessor(but: here) {
        // Its vcpu had the processor to itself, and takes turns from here on.
        helper.insert(endless)
      }
    }
    Lock.scheduler.release()
    Processors.interrupt(helper, LocalAPIC.scheduleVector)
    guard next != previous else {
      if next != 0 { GuestProcessor.current.pointee.endSleep() }
      return
    }
    if next == 0 {
      // Whoever only waits for an event finds its translations again.
      if !isBlocked { LoadedTables.drop() }
    } else {
      let vcpu = GuestProcessor.current
      let isComplete = vcpu.pointee.load(isResumed: isResumed)
      frame.pointee = vcpu.pointee.saved
      vcpu.pointee.resume(now: now)
      if !isComplete { vcpu.pointee.enterFailsafe(frame) }
    }
  }

  // SAFETY: as many words as the scheduler has slots, made by Memory.swift; under its lock.
  /// The vcpus by their slots: addresses of GuestProcessor.
  nonisolated(unsafe) private static var slots = UnsafeMutablePointer<UInt64>(
    bitPattern: 8
  ).unsafelyUnwrapped

  /// Takes memory for so many vcpus over.
  static func start(
    _ scheduler: Scheduler, slots: UnsafeMutablePointer<UInt64>
  ) {
    self.scheduler = scheduler
    self.slots = slots
  }

  /// The vcpu with a slot.
  static func vcpu(_ slot: Int) -> GuestProcessorPointer? {
    GuestProcessorPointer(bitPattern: UInt(slots[slot]))
  }

  /// Enters a vcpu, which is offline; false if there is no room.
  static func add(_ vcpu: GuestProcessorPointer, weight: UInt32) -> Bool {
    Lock.scheduler.take()
    defer { Lock.scheduler.release() }
    guard
      let slot = scheduler?.add(
        vcpu.pointee.core.pointee.id, of: vcpu.pointee.domain.pointee.id,
        group: Memory.slot(of: vcpu.pointee.domain), weight: weight, now: Host.clock.now)
    else { return false }
    slots[slot.index] = UInt64(UInt(bitPattern: vcpu))
    vcpu.pointee.slot = slot
    return true
  }

  /// Removes one that does not run.
  static func remove(_ vcpu: GuestProcessorPointer) {
    Lock.scheduler.take()
    scheduler?.remove(vcpu.pointee.slot)
    slots[vcpu.pointee.slot.index] = 0
    Lock.scheduler.release()
  }

  /// Makes a vcpu look at its events and at what it is wanted to be: wakes it, or interrupts it.
  static func wake(_ vcpu: GuestProcessorPointer) {
    Lock.scheduler.take()
    let kick = kickLocked(vcpu)
    Lock.scheduler.release()
    deliver(kick)
  }

  /// Whether a vcpu of a domain is on a processor.
  static func runs(_ domain: DomainPointer) -> Bool {
    Lock.scheduler.take()
    defer { Lock.scheduler.release() }
    for index in 0..<domain.pointee.vcpuCount {
      let slot = domain.pointee.vcpus[index].pointee.guest.pointee.slot
      if scheduler?.processor(of: slot) != nil { return true }
    }
    return false
  }

  /// Stops a vcpu that is no longer up.
  static func stop(_ vcpu: GuestProcessorPointer) {
    Lock.scheduler.take()
    let processor = scheduler?.processor(of: vcpu.pointee.slot)
    if processor == nil {
      scheduler?.park(vcpu.pointee.slot, as: .offline, now: Host.clock.now)
    }
    Lock.scheduler.release()
    deliver(processor.map { ($0, LocalAPIC.scheduleVector) })
  }

  /// Whom to interrupt for a vcpu, and with what; the scheduler lock is held.
  static func kickLocked(_ vcpu: GuestProcessorPointer) -> (ProcessorID, UInt8)? {
    let slot = vcpu.pointee.slot
    // One that is about to sleep in a poll, and still runs, must not.
    vcpu.pointee.wantsSleep = false
    if let processor = scheduler?.processor(of: slot) { return (processor, LocalAPIC.eventVector) }
    guard vcpu.pointee.wantedState() == .runnable else { return nil }
    guard let processor = scheduler?.wake(slot, idle: idle, now: Host.clock.now) else { return nil }
    return (processor, LocalAPIC.scheduleVector)
  }

  /// Interrupts a processor, or asks this one for its work.
  static func deliver(_ kick: (ProcessorID, UInt8)?) {
    guard let (processor, vector) = kick else { return }
    if UInt64(processor.rawValue) == xg_this_cpu().pointee.index {
      if vector == LocalAPIC.scheduleVector { Work.request(Work.schedule) }
    } else {
      var target = ProcessorSet.none
      target.insert(processor)
      Processors.interrupt(target, vector)
    }
  }

  /// Gives up what the CPU does, stack and all, and lets the scheduler choose.
  ///
  /// No lock is held.
  static func abandon() -> Never {
    Work.request(Work.schedule)
    let top = UInt64(UInt(bitPattern: xg_this_cpu())) + UInt64(XG_BLOCK_SIZE - XG_FRAME_SIZE)
    xg_call_on_stack(top & ~15, rootstock_abandoned)
  }

  /// The place of the guest's registers at the top of this CPU's main stack.
  static var frame: FramePointer {
    let top = UInt(bitPattern: xg_this_cpu()) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
    // SAFETY: the frame's place; whoever runs on the main stack does so below it.
    return FramePointer(bitPattern: top).unsafelyUnwrapped
  }
}

/// Goes on below the place of the frame.
@c(rootstock_abandoned)
func abandoned() {
  _ = leaveAfterWork(Switch.frame)
  xg_enter_guest(xg_this_cpu())
}
