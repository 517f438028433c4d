// Keys for everything, the tabs of the panel, the theme and the help.

export function listenToTabs(find, show) {
  const tabs = [...document.querySelectorAll("[role=tab]")].filter((tab) => {
    const panel = find(tab.getAttribute("aria-controls"));
    tab.hidden = panel.id !== "panel-node" && panel.id !== "panel-step" && !panel.childElementCount;
    return !tab.hidden;
  });
  const choose = (tab, focus) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      find(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    if (focus) tab.focus();
    show();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab, false));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) { choose(tabs[(i + by + tabs.length) % tabs.length], true); event.preventDefault(); }
    });
  });
}

export function listenToKeys(app, find) {
  const help = find("help"), theme = find("theme");
  const themes = ["auto", "light", "dark"];
  const showTheme = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = { auto: "◐", light: "☀", dark: "☾" }[name];
    theme.setAttribute("aria-label", `Theme: ${name}`);
    theme.title = `theme: ${name} (t)`;
  };
  const nextTheme = () => showTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
  showTheme(document.documentElement.dataset.theme);
  theme.addEventListener("click", nextTheme);
  find("help-open").addEventListener("click", () => help.showModal());
  find("help-close").addEventListener("click", () => help.close());
  find("fit").addEventListener("click", () => app.picture.refit());
  find("zoom-in").addEventListener("click", () => app.picture.zoom(1.3));
  find("zoom-out").addEventListener("click", () => app.picture.zoom(1 / 1.3));
  const actions = {
    "/": () => find("search").focus(),
    "?": () => help.showModal(),
    n: () => app.moveTo(app.position + 1),
    p: () => app.moveTo(app.position - 1),
    a: () => app.moveTo(0),
    z: () => app.moveTo(app.last),
    " ": () => app.stepper.toggle(),
    f: () => find("follow").click(),
    g: () => app.picture.focus(app.picture.focused),
    e: () => app.inspector.focusEdit(),
    r: () => app.restore(),
    t: nextTheme,
    u: () => app.up(),
    Backspace: () => app.up(),
    "+": () => app.picture.zoom(1.3),
    "=": () => app.picture.zoom(1.3),
    "-": () => app.picture.zoom(1 / 1.3),
    0: () => app.picture.refit(),
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || !find("shortcuts").checked) return;
    if (target.matches("select, input:not([type=range]):not([type=checkbox]):not([type=radio])")) {
      if (key === "Escape") target.blur();
      return;
    }
    if (key === " " && target.matches("button, input, summary")) return;
    const level = /^[1-9]$/.test(key) ? find("levels").children[Number(key) - 1] : null;
    if (level) level.click();
    else if (actions[key]) actions[key]();
    else return;
    event.preventDefault();
  });
}
