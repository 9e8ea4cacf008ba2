"""What a card on the page of verification shows."""


def outcomes_of(card):
    return [item.get_attribute("data-outcome") for item in card.locator(".findings > li").all()]
