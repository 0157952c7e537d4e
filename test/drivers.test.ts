/** The conformance suite of drivers, on the embedded broker. */
import './conformance/driver-cases.ts'
