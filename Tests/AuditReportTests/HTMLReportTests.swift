// The page, as bytes and in a browser. XENOGRAFT_SCREENSHOTS=FOLDER keeps pictures to look at.

import Audit
import Foundation
import Testing

@testable import AuditReport

@Suite(.serialized) struct HTMLReportTests {
  @Test func snapshot_smallAudit_matchesRecord() throws {
    try expectSnapshot(render(Fixture.small, format: .html), "small.html")
  }

  @Test func page_needsNoNetworkAndHoldsNoForeignMarkup() {
    let text = String(decoding: render(Fixture.small, format: .html), as: UTF8.self)
    #expect(!text.contains("https://") && !text.contains("http://"))
    #expect(text.ranges(of: "<script").count == 2)
    #expect(text.ranges(of: "</script").count == 2)
    #expect(!text.contains("@@"))
  }

  @Test func page_namesThatLookLikeMarks_areLeftAlone() {
    var audit = Fixture.small
    audit.images[0].findings[0].function = "@@SCRIPT@@"
    let text = String(decoding: render(audit, format: .html), as: UTF8.self)
    #expect(text.ranges(of: "@@SCRIPT@@").count == 1)
  }

  @Test(.enabled(if: Browser.found != nil, "needs chromium"))
  func browser_hostileNames_staysItself() throws {
    let browser = try #require(Browser.found)
    let dom = try browser.dom(of: render(Fixture.small, format: .html))
    #expect(dom.contains("data-ready=\"yes\""))
    #expect(dom.contains("<title>Ring-0 audit</title>"))
    #expect(dom.contains("data-count=\"17\""))
    #expect(dom.contains("&lt;/script&gt;&lt;script&gt;document.title"))
  }

  @Test(.enabled(if: Browser.found != nil, "needs chromium"))
  func browser_trace_countsWhatRan_andFiltersByIt() throws {
    let browser = try #require(Browser.found)
    let page = render(Fixture.small, format: .html)
    let dom = try browser.dom(of: page)
    for (name, title) in [
      ("ran-and-emulated", "ran and emulated"), ("ran-and-silent", "ran and silent"),
      ("never-ran", "never ran"),
    ] {
      let button = "id=\"profile-\(name)\""
      let text = dom.split(separator: button).dropFirst().first?.prefix(200) ?? ""
      #expect(text.contains("<strong>1</strong><span>\(title)</span>"), "\(text)")
    }
    #expect(dom.contains("were neither emulated nor watched"))
    #expect(dom.contains("ran and emulated, 12 times"))
    let filtered = try browser.dom(of: page, fragment: "profile=ran+and+silent")
    #expect(filtered.contains("data-count=\"1\""))

    var untraced = Fixture.small
    for index in untraced.images[0].findings.indices {
      untraced.images[0].findings[index].profile = nil
      untraced.images[0].findings[index].executed = nil
    }
    let plain = try browser.dom(of: render(untraced, format: .html))
    #expect(plain.contains("<section id=\"profile\" aria-labelledby=\"profile-title\" hidden"))
    #expect(!plain.contains("In the run</button>"))
  }

  @Test(.enabled(if: Browser.found != nil, "needs chromium"))
  func browser_fragment_filtersAndSorts() throws {
    let browser = try #require(Browser.found)
    let audit = Fixture.large(3300)
    let findings = audit.images[0].findings
    let page = render(audit, format: .html)
    let dom = try browser.dom(of: page, fragment: "q=cr3+drivers/acpi&sort=-function&need=replace")
    let expected = findings.filter {
      $0.need == .replace && $0.rule == "mov-to-cr3"
        && ([$0.file, $0.inlined.first?.file] + $0.sites.map(\.file)).contains {
          $0?.hasPrefix("drivers/acpi/") == true
        }
    }
    let shown = dom.split(separator: "id=\"row-").count - 1
    let count = expected.count { $0.sourcePlace?.file.hasPrefix("drivers/acpi/") == true }
    #expect(count > 0)
    #expect(dom.contains("data-count=\"\(count)\""))
    #expect(shown == min(count, 200))
    #expect(dom.contains("aria-sort=\"descending\""))
  }

  @Test(.enabled(if: Browser.found != nil, "needs chromium"))
  func browser_clicksAndKeys_sortFilterAndOpen() throws {
    let browser = try #require(Browser.found)
    let probe = """
      <script>
      const log = [];
      const first = () => document.querySelector('#rows .finding td:nth-child(4)').textContent;
      const count = () => Number(document.getElementById('count').dataset.count);
      log.push(count());
      document.getElementById('head-function').focus();
      document.getElementById('head-function').click();
      log.push(document.activeElement.id);
      const low = first();
      document.getElementById('head-function').click();
      log.push(low < first());
      document.querySelector('#headline .silent').click();
      log.push(count());
      document.querySelector('#row-' + document.querySelector('#rows button').id.slice(4)).click();
      log.push(document.querySelectorAll('tr.more').length);
      document.querySelector('#filters [type=reset]').click();
      log.push(count());
      document.querySelector('#map button').click();
      log.push(count() < 3300 && count() > 0);
      document.querySelector('#filters [type=reset]').click();
      const select = document.getElementById('choice-rule');
      select.value = 'out';
      select.dispatchEvent(new Event('change'));
      log.push(count());
      document.body.dataset.log = JSON.stringify(log);
      </script>
      """
    let audit = Fixture.large(3300)
    let findings = audit.images[0].findings
    let page = render(audit, format: .html) + Array(probe.utf8)
    let dom = try browser.dom(of: page)
    let silent = findings.count { $0.need == .silent }
    let out = findings.count { $0.rule == "out" }
    #expect(
      dom.contains(
        "data-log=\"[3300,&quot;head-function&quot;,true,\(silent),1,3300,true,\(out)]\""))
  }

  @Test(
    .enabled(if: Browser.found != nil, "needs chromium"),
    .enabled(if: Screenshots.folder != nil, "XENOGRAFT_SCREENSHOTS names no folder"))
  func browser_pictures_areKept() throws {
    let browser = try #require(Browser.found)
    let folder = try #require(Screenshots.folder)
    let page = render(Fixture.large(3300), format: .html)
    for (name, width, height, dark, fragment) in [
      ("light", 1400, 1300, false, "open=3"), ("dark", 1400, 1300, true, "q=cr3&sort=function"),
      ("narrow", 500, 1400, false, "need=silent"),
      ("tile", 1400, 1000, false, "directory=lib&open=11"),
    ] {
      let file = "\(folder)/\(name).png"
      try browser.screenshot(
        of: page, fragment: fragment, size: (width, height), dark: dark, to: file)
      #expect(FileManager.default.fileExists(atPath: file))
    }
  }
}

enum Screenshots {
  static let folder = ProcessInfo.processInfo.environment["XENOGRAFT_SCREENSHOTS"]
}
