"""What messages are and how they travel: the ground on which a publisher and a receiver agree."""
