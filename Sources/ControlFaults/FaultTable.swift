// All faults. A guest may lose frames over those of its network; data that it was told is written it
// may never lose.

import ControlCore

extension Fault {
  /// Every fault.
  public static var all: [Fault] { blockFaults + netFaults + streamFaults + domainFaults }

  private static var blockFaults: [Fault] {
    [
      Fault(.block, "wrong-id", .wrongID, "the id of no request"),
      Fault(.block, "huge-id", .hugeID, "an id beyond every slot"),
      Fault(.block, "old-serial", .oldSerial, "the id of an earlier request of the slot"),
      Fault(.block, "doubled", .doubled, "each response twice"),
      Fault(.block, "dropped", .dropped, count: 1, "no response"),
      Fault(.block, "late", .late, count: 4, "a response after others and a while"),
      Fault(
        .block, "reordered", .reordered, every: 2, count: 0, "responses in pairs, the later first"),
      Fault(.block, "wrong-operation", .wrongOperation, "a response to another operation"),
      Fault(
        .block, "unknown-status", .unknownStatus, count: 3, "a status without a meaning", .mayFail),
      Fault(.block, "error", .error, count: 0, "an I/O error for each seventh request", .mayFail),
      Fault(
        .block, "unsupported", .unsupported, count: 3, "a request that is said to be unknown",
        .mayFail),
      Fault(
        .block, "rewritten", .rewritten, every: 3, count: 6,
        "ids and statuses written again behind the response", .mayFail),
      Fault(.block, "index-ahead", .indexAhead, count: 1, "a producer index far ahead"),
      Fault(.block, "index-back", .indexBack, count: 1, "a producer index that goes back"),
      Fault(.block, "overrun", .overrun, count: 1, "a producer index one ring ahead"),
      Fault(
        .block, "scribbled-header", .scribbledHeader, count: 3,
        "the guest's own indexes overwritten"),
      Fault(
        .block, "scribbled-slots", .scribbledSlots, count: 2, "every slot of the ring overwritten",
        .mayFail),
      Fault(
        .block, "keeps-data", .keepsData, every: 1, count: 5,
        "pages that stay mapped after their request"),
      Fault(
        .block, "keeps-rings", .keepsRings, every: 1, count: 1,
        "rings that stay mapped after closing"),
      Fault(.block, "no-events", .noEvents, every: 1, count: 0, "no event, ever"),
      Fault(.block, "event-storm", .eventStorm, every: 1, count: 0, "sixty-four events for each"),
      Fault(.block, "port-closed", .portClosed, count: 1, "the event channel closed under way"),
      Fault(.block, "closes", .closes, count: 2, "state 5 under way, and the return"),
      Fault(.block, "vanishes", .vanishes, count: 2, "state 6 at once under way, and the return"),
      Fault(.block, "state-dance", .stateDance, count: 2, "states back and forth"),
      Fault(.block, "state-unknown", .stateUnknown, count: 1, "a state that there is not"),
      Fault(
        .block, "restarts", .restarts, every: 10, count: 3,
        "the backend dies without a word and begins anew"),
      Fault(
        .block, "sectors-zero", .keys, "a disk of no sectors", .unusable, key: "sectors", value: "0"
      ),
      Fault(
        .block, "sectors-text", .keys, "a size that is no number", .unusable, key: "sectors",
        value: "many"),
      Fault(
        .block, "sectors-huge", .keys, "a size beyond 64 bits", .unusable, key: "sectors",
        value: "36028797018963968"),
      Fault(
        .block, "sector-size", .keys, "sectors of 513 bytes", .unusable, key: "sector-size",
        value: "513"),
      Fault(
        .block, "ring-order", .keys, "rings of 2^99999999 pages", key: "max-ring-page-order",
        value: "99999999"),
      Fault(.block, "queues", .keys, "no queues at all", key: "multi-queue-max-queues", value: "0"),
      Fault(
        .block, "segments", .keys, "more segments than a page names", .mayFail,
        key: "feature-max-indirect-segments", value: "4294967295"),
      Fault(
        .block, "persistent-text", .keys, "a feature that is neither 0 nor 1", .mayFail,
        key: "feature-persistent", value: "yes"),
    ]
  }

  private static var netFaults: [Fault] {
    [
      Fault(.net, "tx-wrong-id", .wrongID, "the id of no frame"),
      Fault(.net, "tx-doubled", .doubled, "a frame answered twice"),
      Fault(.net, "tx-dropped", .dropped, count: 1, "a frame never answered"),
      Fault(.net, "tx-late", .late, count: 4, "a frame answered after others and a while"),
      Fault(
        .net, "tx-reordered", .reordered, every: 2, count: 0, "answers in pairs, the later first"),
      Fault(.net, "tx-error", .error, count: 0, "an error for each seventh frame"),
      Fault(.net, "tx-unknown-status", .unknownStatus, count: 3, "a status without a meaning"),
      Fault(.net, "tx-null", .null, "the answer of an extra slot for a frame"),
      Fault(.net, "tx-index-ahead", .indexAhead, count: 1, "a producer index far ahead"),
      Fault(.net, "tx-index-back", .indexBack, count: 1, "a producer index that goes back"),
      Fault(.net, "rx-wrong-id", .wrongID, "the id of another buffer"),
      Fault(.net, "rx-doubled", .doubled, "a frame that comes twice"),
      Fault(.net, "rx-dropped", .dropped, "a frame that never comes"),
      Fault(.net, "rx-error", .error, count: 0, "an error in place of each seventh frame"),
      Fault(.net, "rx-offset", .offset, "bytes beyond the page"),
      Fault(.net, "rx-oversized", .oversized, "more bytes than a page has"),
      Fault(.net, "rx-short", .short, "a frame cut short"),
      Fault(.net, "rx-empty", .empty, "a frame of no bytes"),
      Fault(.net, "rx-more-data", .moreData, every: 3, count: 6, "frames that go on without end"),
      Fault(.net, "rx-extra-endless", .extraEndless, every: 5, count: 1, "extras without end"),
      Fault(.net, "rx-extra-type", .extraType, "an extra without a meaning"),
      Fault(.net, "rx-large-zero", .largeZero, "a large segment of pieces of no bytes"),
      Fault(.net, "rx-large-type", .largeType, "a large segment of no protocol"),
      Fault(
        .net, "rx-rewritten", .rewritten, every: 3, count: 0,
        "responses written again behind themselves"),
      Fault(.net, "rx-index-ahead", .indexAhead, count: 1, "a producer index far ahead"),
      Fault(.net, "rx-overrun", .overrun, count: 1, "a producer index one ring ahead"),
      Fault(
        .net, "keeps-rings", .keepsRings, every: 1, count: 1, "rings that stay mapped after closing"
      ),
      Fault(.net, "no-events", .noEvents, every: 1, count: 0, "no event, ever"),
      Fault(.net, "event-storm", .eventStorm, every: 1, count: 0, "sixty-four events for each"),
      Fault(.net, "port-closed", .portClosed, count: 1, "the event channels closed under way"),
      Fault(.net, "closes", .closes, count: 2, "state 5 under way, and the return"),
      Fault(.net, "vanishes", .vanishes, count: 2, "state 6 at once under way, and the return"),
      Fault(.net, "state-dance", .stateDance, count: 2, "states back and forth"),
      Fault(
        .net, "restarts", .restarts, every: 10, count: 3,
        "the backend dies without a word and begins anew"),
      Fault(
        .net, "replugged", .replugged, every: 10, count: 3,
        "taken away by the toolstack, and given again"),
      Fault(
        .net, "no-copy", .keys, "a backend that cannot copy", .unusable, key: "feature-rx-copy",
        value: "0"),
      Fault(
        .net, "queues", .keys, "more queues than 32 bits", key: "multi-queue-max-queues",
        value: "4294967297"),
      Fault(
        .net, "split-text", .keys, "a feature that is neither 0 nor 1",
        key: "feature-split-event-channels", value: "yes"),
    ]
  }

  private static var domainFaults: [Fault] {
    [
      Fault(
        .domain, "suspend", .suspends, every: 5, count: 3,
        "asked to suspend, and let go on as if that had been called off"),
      Fault(
        .domain, "resume", .resumes, every: 5, count: 3,
        "asked to suspend, and let go on as if it had been saved and restored"),
      Fault(
        .domain, "clock-jumps", .clockJumps, every: 2, count: 0,
        "a time of day that jumps by hours, ahead and back"),
      Fault(
        .domain, "memory-pressure", .memoryPressure, every: 5, count: 4,
        "asked for a quarter of its memory, of which it gets half again at first"),
    ]
  }

  private static var streamFaults: [Fault] {
    [
      Fault(.store, "again", .again, every: 1, count: 0, "no transaction ever commits", .unusable),
      Fault(
        .store, "again-twice", .again, every: 1, count: 2,
        "two transactions that conflict with nobody", .mayFail),
      Fault(.store, "late", .late, count: 0, "answers after a while"),
      Fault(.store, "wrong-id", .wrongID, count: 1, "an answer to no request", .mayFail),
      Fault(.store, "wrong-type", .wrongOperation, count: 1, "an answer of another type", .mayFail),
      Fault(.store, "doubled", .doubled, count: 0, "answers twice"),
      Fault(.store, "unasked", .unasked, every: 1, count: 0, "answers that nobody asked for"),
      Fault(
        .store, "watch-storm", .watchStorm, every: 1, count: 30,
        "hundreds of events of watches that nobody set"),
      Fault(.store, "error", .error, count: 0, "EIO for each seventh request", .mayFail),
      Fault(.store, "error-name", .badName, count: 0, "errors without a meaning", .mayFail),
      Fault(.store, "unended", .unended, count: 0, "texts without the zero byte at their end"),
      Fault(.store, "oversized", .oversized, count: 1, "an answer longer than allowed", .mayFail),
      Fault(.store, "index-ahead", .indexAhead, count: 1, "a producer index far ahead", .mayFail),
      Fault(
        .console, "index-ahead", .indexAhead, every: 1, count: 1, "typed bytes beyond the ring",
        .mayFail),
      Fault(
        .console, "consumer-ahead", .overrun, every: 1, count: 1,
        "printed bytes taken that there are not",
        .mayFail),
      Fault(.console, "garbage", .garbage, every: 1, count: 0, "bytes that nobody typed"),
      Fault(.console, "late", .late, every: 1, count: 0, "bytes taken one round in ten"),
      Fault(.console, "event-storm", .eventStorm, every: 1, count: 0, "sixty-four events for each"),
    ]
  }
}
