// The page's behaviour. All text comes out of a kernel's symbol table or out of rules, and goes into
// the page as text only: textContent and setAttribute, never markup.
(function () {
  'use strict';

  const data = JSON.parse(document.getElementById('data').textContent);
  const words = data.strings;
  const pageSize = 200;
  const needs = ['replace', 'silent', 'emulated', 'nothing'];
  const needWords = {
    replace: 'kill the guest: they must be replaced',
    silent: 'run, give a wrong result and say nothing',
    emulated: 'are emulated by the hypervisor: right, and slow',
    nothing: 'ask nothing of a port',
  };

  // A finding travels as an array of numbers, most of them indices of words; -1 stands for none.
  const word = (index) => (index < 0 ? '' : words[index]);
  const findings = data.findings.map((row, order) => {
    const [image, address, section, bytes, instruction, rule, cls, disposition, need, liveness,
      fn, offset, file, line, outerFile, outerLine, context, replacement, guide, executed,
      state, suppression, fingerprint, profile, frames, sites, directory] = row;
    const finding = {
      order, image, address: '0x' + word(address), section: word(section), bytes: word(bytes),
      instruction: word(instruction), rule: word(rule), class: word(cls),
      disposition: word(disposition), need: word(need), liveness: word(liveness),
      function: word(fn), offset, file: word(file), line, outerFile: word(outerFile), outerLine,
      context: word(context), replacement: word(replacement), guide: word(guide), executed,
      state: word(state), suppression: word(suppression), fingerprint: word(fingerprint),
      profile: word(profile),
      frames: frames || [], sites: sites || [], inner: word(directory),
    };
    // Replacement code belongs to no function; what it is patched into tells a reader where it runs.
    const patched = finding.sites.find((site) => site[1] >= 0);
    finding.isPatched = !finding.function && Boolean(patched);
    if (finding.isPatched) finding.function = word(patched[1]);
    // Most instructions stand in inlined helpers of a few headers: the file of the function around
    // them tells which part of the kernel has the work.
    const around = finding.outerFile || finding.file;
    const slash = around.lastIndexOf('/');
    finding.outer = slash > 0 ? around.slice(0, slash) : finding.inner;
    finding.place = finding.file ? finding.file + ':' + line : '';
    finding.text = [finding.address, finding.instruction, finding.rule, finding.function,
      finding.place, finding.section, finding.context, finding.bytes,
      finding.frames.map((f) => word(f[0])).join(' '),
      finding.sites.map((s) => word(s[1]) + ' ' + word(s[4])).join(' ')].join('\n').toLowerCase();
    return finding;
  });

  const columns = [
    { key: 'address', title: 'Address' },
    { key: 'need', title: 'Becomes' },
    { key: 'instruction', title: 'Instruction' },
    { key: 'function', title: 'Function' },
    { key: 'file', title: 'Source' },
    { key: 'rule', title: 'Rule' },
    { key: 'liveness', title: 'Presence' },
    { key: 'context', title: 'Context' },
  ];
  const isTraced = findings.some((f) => f.profile);
  if (isTraced) columns.push({ key: 'executed', title: 'In the run' });
  const choices = [
    { key: 'need', title: 'Becomes' }, { key: 'class', title: 'Class' },
    { key: 'disposition', title: 'Disposition' }, { key: 'liveness', title: 'Presence' },
    { key: 'rule', title: 'Rule' }, { key: 'section', title: 'Section' },
  ];
  if (data.images.length > 1) choices.push({ key: 'image', title: 'Image' });
  if (isTraced) choices.push({ key: 'profile', title: 'In the run' });
  if (findings.some((f) => f.state)) choices.push({ key: 'state', title: 'Baseline' });

  // The state of the page is its address's fragment: a view can be sent to somebody else.
  const keys = ['q', 'sort', 'page', 'open', 'by', 'directory'].concat(choices.map((c) => c.key));
  let state = {};
  function readState() {
    state = {};
    for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
      if (keys.includes(key)) state[key] = value;
    }
  }
  function setState(changes) {
    Object.assign(state, changes);
    const fragment = new URLSearchParams();
    for (const key of keys) if (state[key]) fragment.set(key, state[key]);
    history.replaceState(null, '', '#' + fragment.toString());
    // Drawing replaces the control that had the focus; its successor goes by the same name.
    const focused = document.activeElement ? document.activeElement.id : '';
    draw();
    const successor = focused && document.getElementById(focused);
    if (successor && successor !== document.activeElement) successor.focus({ preventScroll: true });
  }

  function element(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === 'onclick') node.addEventListener('click', value);
      else if (value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const byId = (id) => document.getElementById(id);
  const number = (value) => Number(value).toLocaleString('en-US');

  const directory = (finding) => (state.by === 'line' ? finding.inner : finding.outer);

  function selection(except) {
    const terms = (state.q || '').toLowerCase().split(/\s+/).filter(Boolean);
    return findings.filter((finding) => {
      for (const { key } of choices) {
        if (key !== except && state[key] && String(finding[key]) !== state[key]) return false;
      }
      if (except !== 'directory' && state.directory && directory(finding) !== state.directory) {
        return false;
      }
      return terms.every((term) => finding.text.includes(term));
    });
  }

  function sorted(list) {
    const sort = state.sort || '';
    const down = sort.startsWith('-');
    const key = down ? sort.slice(1) : sort;
    if (!columns.some((column) => column.key === key)) return list;
    const rank = key === 'need' ? (f) => needs.indexOf(f.need) : (f) => f[key];
    const compare = (left, right) => {
      const a = rank(left);
      const b = rank(right);
      if (a !== b) {
        if (a === '') return 1;
        if (b === '') return -1;
        return (a < b ? -1 : 1) * (down ? -1 : 1);
      }
      if (key === 'file' && left.line !== right.line) return left.line - right.line;
      return left.order - right.order;
    };
    return list.slice().sort(compare);
  }

  function drawHeadline() {
    const list = selection('need');
    byId('headline').replaceChildren(...needs.map((need) => {
      const count = list.reduce((sum, f) => sum + (f.need === need ? 1 : 0), 0);
      const pressed = state.need === need;
      return element('button', {
        id: 'need-' + need, class: need, type: 'button', 'aria-pressed': String(pressed),
        onclick: () => setState({ need: pressed ? '' : need, page: '' }),
      }, element('strong', {}, number(count)), element('span', {}, need),
      element('small', {}, needWords[need]));
    }));
  }

  // What the traced run made of the findings: buttons that choose, as those of the headline.
  const profiles = {
    'ran and emulated': 'trapped, and the hypervisor did them instead',
    'ran and faulted': 'trapped, and the guest got the fault',
    'ran and silent': 'ran without a trap: what they gave was wrong',
    'never ran': 'were not come by in this run',
  };
  function drawProfile() {
    byId('profile').hidden = !isTraced;
    if (!isTraced) return;
    const list = selection('profile').filter((f) => f.need !== 'nothing');
    byId('profile-counts').replaceChildren(...Object.keys(profiles).map((profile) => {
      const count = list.reduce((sum, f) => sum + (f.profile === profile ? 1 : 0), 0);
      const pressed = state.profile === profile;
      return element('button', {
        id: 'profile-' + profile.replaceAll(' ', '-'), type: 'button', 'aria-pressed': String(pressed),
        onclick: () => setState({ profile: pressed ? '' : profile, page: '' }),
      }, element('strong', {}, number(count)), element('span', {}, profile),
      element('small', {}, profiles[profile]));
    }));
    const unknown = list.reduce((sum, f) => sum + (f.profile ? 0 : 1), 0);
    byId('profile-note').textContent = unknown === 0 ? ''
      : number(unknown) + ' were neither emulated nor watched: nobody knows whether they ran.';
  }

  // How often it ran, in words.
  function ran(finding) {
    if (!finding.profile) return '';
    if (finding.profile !== 'ran and emulated' || finding.executed < 0) return finding.profile;
    return finding.profile + ', ' + number(finding.executed) + (finding.executed === 1 ? ' time' : ' times');
  }

  // A squarified treemap (Bruls, Huizing, van Wijk 2000): rows are closed where the next tile
  // would make their shapes worse.
  function squarify(items, x, y, width, height, place) {
    let total = items.reduce((sum, item) => sum + item.count, 0);
    let rest = items;
    while (rest.length > 0 && width > 0 && height > 0) {
      const side = Math.min(width, height);
      const scale = (width * height) / total;
      const worst = (row, sum) => Math.max(...row.map((item) => {
        const area = item.count * scale;
        const thick = (sum * scale) / side;
        return Math.max((thick * thick) / area, area / (thick * thick));
      }));
      let length = 1;
      let sum = rest[0].count;
      while (length < rest.length) {
        const next = sum + rest[length].count;
        if (worst(rest.slice(0, length + 1), next) > worst(rest.slice(0, length), sum)) break;
        sum = next;
        length += 1;
      }
      const thick = (sum * scale) / side;
      let along = 0;
      for (const item of rest.slice(0, length)) {
        const extent = (item.count * scale) / thick;
        if (width >= height) place(item, x, y + along, thick, extent);
        else place(item, x + along, y, extent, thick);
        along += extent;
      }
      if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
      total -= sum;
      rest = rest.slice(length);
    }
  }

  // A zero-width space after each slash, so that a path breaks between its parts.
  const breakable = (path) => path.replaceAll('/', '/\u200b');

  // A strip that shows how a tile's findings divide by need.
  function mix(item) {
    let at = 0;
    const stops = needs.map((need, index) => {
      const from = at;
      at += (100 * item.mix[index]) / item.count;
      return 'var(--' + need + '-strip) ' + from + '% ' + at + '%';
    });
    const strip = element('i', { 'aria-hidden': 'true' });
    strip.style.background = 'linear-gradient(to right, ' + stops.join(', ') + ')';
    return strip;
  }

  function drawMap() {
    const groups = new Map();
    for (const finding of selection('directory')) {
      const name = directory(finding);
      const group = groups.get(name) || { name, count: 0, worst: 3, mix: [0, 0, 0, 0] };
      group.count += 1;
      group.mix[needs.indexOf(finding.need)] += 1;
      group.worst = Math.min(group.worst, needs.indexOf(finding.need));
      groups.set(name, group);
    }
    const items = [...groups.values()].sort(
      (a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, 80);
    const map = byId('map');
    const tiles = [];
    squarify(items, 0, 0, map.clientWidth || 1000, map.clientHeight || 300, (item, x, y, w, h) => {
      const name = item.name || 'no source line';
      const pressed = Boolean(item.name) && state.directory === item.name;
      const tile = element('button', {
        type: 'button', id: 'tile-' + item.name, class: needs[item.worst], 'aria-pressed': String(pressed),
        title: name + ': ' + needs.map((need, index) => number(item.mix[index]) + ' ' + need).join(', '),
        'aria-label': name + ', ' + number(item.count) + ' findings, gravest ' + needs[item.worst],
        onclick: () => setState({ directory: pressed ? '' : item.name, page: '' }),
      });
      if (w > 46 && h > 34) tile.append(element('b', {}, number(item.count)), breakable(name), mix(item));
      else if (w > 30 && h > 18) tile.append(element('b', {}, number(item.count)));
      Object.assign(tile.style, { left: x + 'px', top: y + 'px', width: w + 'px', height: h + 'px' });
      tiles.push(tile);
    });
    map.replaceChildren(...tiles);
  }

  function drawChoices() {
    const count = (key) => {
      const counts = new Map();
      for (const f of selection(key)) counts.set(String(f[key]), (counts.get(String(f[key])) || 0) + 1);
      return [...counts].filter(([value]) => value !== '').sort((a, b) => (a[0] < b[0] ? -1 : 1));
    };
    byId('choices').replaceChildren(...choices.map(({ key, title }) => {
      const select = element('select', { id: 'choice-' + key, name: key }, element('option', { value: '' }, 'all'));
      for (const [value, total] of count(key)) {
        const name = key === 'image' ? data.images[Number(value)].path : value;
        select.append(element('option', { value }, name + ' (' + number(total) + ')'));
      }
      select.value = state[key] || '';
      select.addEventListener('change', () => {
        setState({ [key]: select.value, page: '' });
      });
      return element('label', {}, title, select);
    }));
  }

  function drawHeads() {
    byId('heads').replaceChildren(...columns.map(({ key, title }) => {
      const down = state.sort === '-' + key;
      const up = state.sort === key;
      return element('th', { scope: 'col', 'aria-sort': up ? 'ascending' : down ? 'descending' : 'none' },
        element('button', {
          type: 'button', id: 'head-' + key,
          onclick: () => setState({ sort: up ? '-' + key : key, page: '' }),
        }, title));
    }));
  }

  function holder(finding) {
    if (!finding.function) return '';
    if (finding.isPatched) return 'into ' + finding.function;
    return finding.function + (finding.offset >= 0 ? '+0x' + finding.offset.toString(16) : '');
  }

  function drawRow(finding) {
    const open = state.open === String(finding.order);
    const toggle = (event) => {
      if (event) event.stopPropagation();
      setState({ open: open ? '' : String(finding.order) });
    };
    const cell = (kind, text) => element('td', { class: kind, title: text }, text);
    const row = element('tr', { class: 'finding ' + finding.need + (finding.suppression ? ' struck' : '') },
      element('td', { class: 'mono' }, element('button', {
        type: 'button', id: 'row-' + finding.order, 'aria-expanded': String(open), onclick: toggle,
      }, finding.address)),
      element('td', {}, element('span', { class: 'tag' }, finding.need)),
      cell('mono', finding.instruction), cell('mono cut', holder(finding)),
      element('td', { class: 'mono cut end', title: finding.place }, element('bdi', {}, finding.place)),
      cell('mono', finding.rule), cell('', finding.liveness), cell('', finding.context));
    if (isTraced) row.append(cell('ran', ran(finding)));
    row.addEventListener('click', () => { if (String(getSelection()) === '') toggle(); });
    return open ? [row, drawMore(finding)] : [row];
  }

  function drawMore(finding) {
    const rule = data.rules[finding.rule] || {};
    const code = (text) => element('code', {}, text);
    const pane = (title, ...children) => element('div', {}, element('h3', {}, title), ...children);
    const place = (file, line) => (file >= 0 ? word(file) + (line >= 0 ? ':' + line : '') : '');
    const panes = [pane(rule.title || finding.rule,
      rule.summary ? element('p', {}, rule.summary) : null,
      rule.why ? element('p', {}, 'Under ' + data.target + ': ' + rule.why) : null,
      finding.replacement ? element('p', {}, 'Write instead: ', code(finding.replacement)) : null,
      element('p', {}, 'Guide: ', code(finding.guide)),
      rule.source ? element('p', { class: 'hint' }, rule.source) : null)];
    if (finding.frames.length > 0) {
      const items = finding.frames.map((f) => element('li', {}, code(word(f[0])), ' ', place(f[1], f[2])));
      items.push(element('li', {}, code((!finding.isPatched && finding.function) || finding.section), ' ',
        finding.outerFile ? finding.outerFile + ':' + finding.outerLine : ''));
      panes.push(pane('Inlined, the innermost first', element('ol', {}, ...items)));
    }
    if (finding.sites.length > 0) {
      const items = finding.sites.slice(0, 100).map((s) => element('li', {},
        code(s[1] >= 0 ? word(s[1]) : '0x' + word(s[0])), ' ', place(s[2], s[3]), ' if ' + word(s[4])));
      if (finding.sites.length > 100) items.push(element('li', {}, number(finding.sites.length - 100) + ' more'));
      panes.push(pane('Patched into', element('ul', {}, ...items)));
    }
    const facts = element('dl');
    for (const [title, value] of [
      ['class', finding.class], ['disposition', finding.disposition], ['section', finding.section],
      ['bytes', finding.bytes], ['image', data.images[finding.image].path],
      ['in the run', ran(finding)], ['baseline', finding.state], ['suppressed', finding.suppression],
      ['fingerprint', finding.fingerprint],
    ]) if (value) facts.append(element('dt', {}, title), element('dd', { class: 'mono' }, value));
    panes.push(pane('This finding', facts));
    return element('tr', { class: 'more' }, element('td', { colspan: columns.length },
      element('div', { class: 'panes' }, ...panes)));
  }

  function drawTable() {
    const list = sorted(selection());
    const pages = Math.max(1, Math.ceil(list.length / pageSize));
    const page = Math.min(Math.max(Number(state.page) || 1, 1), pages);
    const shown = list.slice((page - 1) * pageSize, page * pageSize);
    byId('rows').replaceChildren(...shown.flatMap(drawRow));
    let text = number(list.length) + ' of ' + number(findings.length) + ' findings';
    if (state.directory) text += ' in ' + state.directory;
    byId('count').textContent = text;
    byId('count').dataset.count = String(list.length);
    const step = (title, to) => {
      const button = element('button', {
        type: 'button', id: 'page-' + title, onclick: () => setState({ page: String(to) }),
      }, title);
      button.disabled = to < 1 || to > pages;
      return button;
    };
    byId('pages').replaceChildren(...(pages === 1 ? [] : [
      step('Previous', page - 1), 'page ' + page + ' of ' + pages, step('Next', page + 1)]));
  }

  function drawScan() {
    byId('subject').textContent = 'Target ' + data.target + '. ' + data.images.map((i) => i.path).join(', ');
    byId('scan').replaceChildren(...data.images.map((image) => {
      const facts = element('dl');
      for (const [title, value] of image.facts) {
        facts.append(element('dt', {}, title), element('dd', { class: 'mono' }, value));
      }
      return element('div', {}, element('h3', {}, image.path), facts);
    }));
  }

  function draw() {
    drawHeadline();
    drawProfile();
    drawMap();
    drawChoices();
    drawHeads();
    drawTable();
    byId('by').value = state.by || '';
    if (byId('q').value !== (state.q || '')) byId('q').value = state.q || '';
  }

  let timer = 0;
  byId('q').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => setState({ q: byId('q').value, page: '' }), 120);
  });
  byId('by').addEventListener('change', () => {
    setState({ by: byId('by').value, directory: '', page: '' });
  });
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('filters').addEventListener('reset', (event) => {
    event.preventDefault();
    const sort = state.sort;
    state = {};
    setState({ sort });
  });
  window.addEventListener('hashchange', () => { readState(); draw(); });
  window.addEventListener('resize', () => drawMap());
  readState();
  drawScan();
  draw();
  document.documentElement.dataset.ready = 'yes';
})();
