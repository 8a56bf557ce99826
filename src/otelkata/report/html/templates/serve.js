"use strict";
const main = document.getElementById("main");
const state = document.getElementById("state");
const requests = document.getElementById("requests");
const answer = document.getElementById("answer");
const order = document.getElementById("order");
const faults = document.getElementById("faults");
const trouble = document.getElementById("trouble");
const KEPT = 50;
let change = "";
let last = 0;

function say(text, kind) {
  if (state.textContent === text) return;
  state.textContent = text;
  state.className = `verdict graded ${kind}`;
}

// What comes is made by our own templates, which escape what a submission says.
function draw(request) {
  const holder = document.createElement("template");
  holder.innerHTML = request.html;
  requests.prepend(holder.content);
  last = Math.max(last, request.number);
  while (requests.childElementCount > KEPT) requests.lastElementChild.remove();
  document.getElementById("none").hidden = true;
}

function take(news) {
  if (news.run !== main.dataset.run) {
    location.reload();
    return false;
  }
  change = news.change;
  for (const request of news.requests) draw(request);
  for (const [name, isOn] of Object.entries(news.faults)) faults.elements[name].checked = isOn;
  const number = last ? `, ${last} request${last === 1 ? "" : "s"}` : "";
  if (news.ended) say("ended", "off");
  else say(`serving${number}`, "on");
  return !news.ended;
}

async function follow() {
  for (let goes = true; goes; ) {
    try {
      const response = await fetch(`/kata-serve/news?${change}-${last}`, { cache: "no-store" });
      goes = take(await response.json());
    } catch {
      say("not reachable; trying again", "off");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

order.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(order));
  fields.quantity = Number(fields.quantity);
  const button = order.querySelector("button");
  button.disabled = true;
  answer.textContent = "";
  try {
    const response = await fetch("/checkout", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
    answer.textContent = `${response.status} ${(await response.text()).slice(0, 400)}`;
  } catch {
    answer.textContent = "no answer came";
  } finally {
    button.disabled = false;
    button.focus();
  }
});

faults.addEventListener("change", async ({ target }) => {
  trouble.textContent = "";
  try {
    const response = await fetch("/kata-serve/faults", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ [target.name]: target.checked }),
    });
    if (!response.ok) throw new Error((await response.json()).error);
  } catch (error) {
    target.checked = !target.checked;
    trouble.textContent = `The switch did not take: ${error.message}`;
  }
});

follow();
