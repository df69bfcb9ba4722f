// Buttons through the crash states beside a finding: one is shown, in the timeline and below it. Without scripts all are.

for (const section of document.querySelectorAll(".finding")) {
  const buttons = [...section.querySelectorAll("button[data-state]")];
  const states = [...section.querySelectorAll(".state")];
  const choose = (id) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.state === id));
    for (const state of states) state.hidden = state.id !== id;
    const timeline = Timelines.get(section.id);
    const state = timeline && timeline.data.states.find((one) => one.id === id);
    if (state) timeline.choose(state);
  };
  for (const button of buttons) {
    button.hidden = buttons.length < 2;
    button.addEventListener("click", () => choose(button.dataset.state));
  }
  if (states.length > 0) choose(states[0].id);
}

// On paper nothing can be chosen or unfolded.
let afterPrint = [];
addEventListener("beforeprint", () => {
  const hidden = [...document.querySelectorAll(".state[hidden]")];
  const folded = [...document.querySelectorAll(".finding details:not([open])")];
  for (const state of hidden) state.hidden = false;
  for (const details of folded) details.open = true;
  afterPrint = [() => hidden.forEach((state) => { state.hidden = true; }), () => folded.forEach((details) => { details.open = false; })];
});
addEventListener("afterprint", () => { for (const undo of afterPrint.splice(0)) undo(); });
