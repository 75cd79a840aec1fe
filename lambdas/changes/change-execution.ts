// What is the state machine called that applies changes?

export const CHANGE_EXECUTION = 'change-execution';
