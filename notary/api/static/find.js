// A typed record number leads to the page of that number, which says what is wrong with a mistyped one.

const form = document.getElementById("find");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const number = form.elements.number.value.trim();
  if (number) location.href = `/e/${encodeURIComponent(number)}${location.search}`;
});

form.querySelector("fieldset").disabled = false;
