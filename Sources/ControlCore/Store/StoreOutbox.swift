// What waits to be taken by a client: answers and watch events in the order of their making.
//
// A client that takes nothing must cost nothing: its requests are left in its ring once some answers
// wait, the same event never waits twice, and when events exceed their limit all of them are
// forgotten and each of the client's watches fires once after it has caught up. An event says "look
// again", so one that comes late and for the whole watch loses nothing.

/// The queue of one client.
struct StoreOutbox {
  /// A message that waits.
  private struct Message {
    var bytes: Bytes
    var isEvent: Bool
  }
  private var messages: [Message] = []
  /// Messages before this index are taken.
  private var head = 0
  private(set) var answerBytes = 0
  private(set) var eventBytes = 0
  /// The next watch that fires for events that were forgotten.
  private(set) var nextRepeat: Int?

  /// Whether nothing waits.
  var isEmpty: Bool { head == messages.count }

  /// Adds the answer to a request.
  mutating func append(answer: Bytes) {
    messages.append(Message(bytes: answer, isEvent: false))
    answerBytes += answer.count
  }

  /// Adds a watch event, unless the same one waits already; `limit` is for all events that wait.
  mutating func append(event: Bytes, limit: Int) {
    // The message at the head may be half way in the ring: it has been seen, and does not count. Only
    // the latest are compared, since a guest can make many wait and others pay for the search.
    var index = max(head + 1, messages.count - 64)
    while index < messages.count {
      if messages[index].isEvent, messages[index].bytes == event { return }
      index += 1
    }
    guard eventBytes + event.count <= limit else {
      forgetEvents()
      return
    }
    messages.append(Message(bytes: event, isEvent: true))
    eventBytes += event.count
  }
  private mutating func forgetEvents() {
    var kept: [Message] = []
    eventBytes = 0
    var index = head
    while index < messages.count {
      if index == head || !messages[index].isEvent {
        kept.append(messages[index])
        if messages[index].isEvent { eventBytes += messages[index].bytes.count }
      }
      index += 1
    }
    messages = kept
    head = 0
    nextRepeat = 0
  }

  /// The message to send next.
  var first: Bytes? { isEmpty ? nil : messages[head].bytes }

  /// Takes the message off that ``first`` showed.
  mutating func removeFirst() {
    guard !isEmpty else { return }
    let message = messages[head]
    if message.isEvent {
      eventBytes -= message.bytes.count
    } else {
      answerBytes -= message.bytes.count
    }
    messages[head].bytes = []
    head += 1
    if head == messages.count || head >= 64 {
      messages.removeFirst(head)
      head = 0
    }
  }

  /// Which of so many watches fires again, once nothing else waits.
  mutating func takeRepeat(of watchCount: Int) -> Int? {
    guard isEmpty, let next = nextRepeat else { return nil }
    nextRepeat = next + 1 < watchCount ? next + 1 : nil
    return next < watchCount ? next : nil
  }

  /// Forgets everything, as a reset of the connection asks for.
  mutating func removeAll() { self = StoreOutbox() }
}
