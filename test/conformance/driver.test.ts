/** The drivers on the implementation under test. */
import './driver-cases.ts'
