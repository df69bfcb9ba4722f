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
