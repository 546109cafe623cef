using CcmFhir.Domain;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Readers;

/// <summary>Turns resources of one patient into facts. From here on there is no FHIR. What is not understood makes no fact: the profile at the door
/// has said so already, and what can be mended holds the month.</summary>
/// <param name="practice">The practice.</param>
/// <param name="bases">Base addresses whose references mean the same as relative ones.</param>
internal sealed class CareFactReader(Practice practice, IReadOnlyList<string> bases)
{
    private readonly ElementReading reading = new(practice, bases);

    /// <summary>Facts of one resource; none for what does not matter here.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="reference"><c>Type/id</c>.</param>
    /// <param name="version">Its version.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="goalHasTarget">Whether a goal that was received has a target; null for a goal that was not.</param>
    public IEnumerable<CareFact> Read(
        string type,
        string reference,
        string version,
        FhirElement resource,
        Func<string, bool?> goalHasTarget
    )
    {
        return type switch
        {
            "Patient" => One(Patient(reference, resource)),
            "Task" => One(TimeLog(reference, resource)),
            "Condition" => One(Condition(reference, resource)),
            "Consent" => One(Consent(reference, version, resource)),
            "CarePlan" => One(CarePlan(reference, version, resource, goalHasTarget)),
            "Encounter" => Encounter(reference, resource),
            "Observation" => One(Mdm(reference, resource)),
            "Coverage" => One(Coverage(reference, resource)),
            "EpisodeOfCare" => One(Alignment(reference, resource)),
            "ChargeItem" => new BilledServiceReader(reading).ChargeItem(reference, resource),
            "Procedure" => new BilledServiceReader(reading).Procedure(reference, resource),
            "Claim" => new BilledServiceReader(reading).Claim(reference, resource),
            "ExplanationOfBenefit" => new BilledServiceReader(reading).ExplanationOfBenefit(reference, resource),
            _ => [],
        };
    }

    /// <summary>A goal has a measurable target.</summary>
    public static bool HasTarget(FhirElement goal)
    {
        foreach (var target in goal["target"u8].Items)
        {
            foreach (var child in target.Children)
            {
                if (child.NameUtf8.StartsWith("detail"u8) || child.NameUtf8.SequenceEqual("measure"u8))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private static IEnumerable<CareFact> One(CareFact? fact) => fact is null ? [] : [fact];

    private PatientFact Patient(string reference, FhirElement patient)
    {
        var died = reading.Time(patient["deceasedDateTime"u8]);
        string? member = null;
        foreach (var identifier in patient["identifier"u8].Items)
        {
            if (identifier["system"u8].Is("http://hl7.org/fhir/sid/us-mbi"u8))
            {
                member = identifier["value"u8].Text;
                break;
            }
        }
        return new PatientFact(
            reference,
            died is not null || ElementReading.Flag(patient["deceasedBoolean"u8]) is true,
            died?.First,
            member
        );
    }

    private TimeLogFact? TimeLog(string reference, FhirElement task)
    {
        var activity = ElementReading.Code(task["code"u8], Codes.System("ccm-activity"));
        var period = task["executionPeriod"u8];
        if (
            activity is null
            || FhirTime.Instant(period["start"u8].Text ?? "") is not { } start
            || FhirTime.Instant(period["end"u8].Text ?? "") is not { } end
            || end <= start
        )
        {
            return null;
        }
        // Whole seconds of the length, never rounded up: 1199.5 s are 1199 s.
        var seconds = (end - start).Ticks / TimeSpan.TicksPerSecond;
        if (TimeLogDoor.TimeSpent(task) is { Seconds: { } spent })
        {
            seconds = Math.Min(seconds, spent);
        }
        var first = start.ToUnixTimeSeconds();
        var role = ElementReading.Code(task["performerType"u8], Codes.System("ccm-performer-role")) switch
        {
            "billing-practitioner" => PerformerRole.BillingPractitioner,
            "clinical-staff" => PerformerRole.ClinicalStaff,
            "medical-assistant" => PerformerRole.MedicalAssistant,
            _ => PerformerRole.NonClinicalStaff,
        };
        var served = int.TryParse(
            ElementReading.Extension(task, "patients-served")["valuePositiveInt"u8].Text,
            System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture,
            out var patients
        )
            ? Math.Max(1, patients)
            : 1;
        return new TimeLogFact(
            reference,
            task["status"u8].Text ?? "",
            activity,
            role,
            reading.Reference(task["owner"u8]) ?? "",
            new Stretch(first, first + seconds),
            served,
            ElementReading.Extension(task, "counted-toward")["valueCode"u8].Text
        );
    }

    private ConditionFact Condition(string reference, FhirElement condition)
    {
        var onset = reading.Time(condition["onsetDateTime"u8]) ?? reading.Time(condition["onsetPeriod"u8]["start"u8]);
        var ended =
            reading.Time(condition["abatementDateTime"u8]) ?? reading.Time(condition["abatementPeriod"u8]["end"u8]);
        return new ConditionFact(
            reference,
            ElementReading.Code(
                condition["clinicalStatus"u8],
                "http://terminology.hl7.org/CodeSystem/condition-clinical"
            ) ?? "",
            ElementReading.Code(
                condition["verificationStatus"u8],
                "http://terminology.hl7.org/CodeSystem/condition-ver-status"
            ) ?? "",
            ElementReading.Code(condition["code"u8], Codes.Icd10Cm),
            ElementReading.Extension(condition, "expected-duration")["valueCode"u8].Text,
            ElementReading.Flag(ElementReading.Extension(condition, "significant-risk")["valueBoolean"u8]),
            onset?.First,
            ended?.After
        );
    }

    // Where only the day of consent is known, time counts from the day after: what cannot be proven is not billed.
    private ConsentFact? Consent(string reference, string version, FhirElement consent)
    {
        var programs = ElementReading.AllCodes(consent["category"u8], Codes.System("ccm-program"));
        var status = consent["status"u8].Text;
        if (
            programs.Count == 0
            || status is not ("active" or "inactive")
            || reading.Time(consent["dateTime"u8]) is not { } given
        )
        {
            return null;
        }
        var end = reading.Time(consent["provision"u8]["period"u8]["end"u8]);
        // Revoked without saying when: it is not known to have been in force at any moment.
        if (status == "inactive" && end is null)
        {
            return null;
        }
        var from = given.Exact ? given.First : given.After;
        var to =
            end is null ? Stretch.Always.End
            : end.Exact ? end.First
            : end.After;
        return new ConsentFact(
            reference,
            version,
            programs,
            new Stretch(from, Math.Max(from, to)),
            end is not null,
            reading.References(consent["organization"u8]),
            ElementReading.Npis(consent["organization"u8]),
            ElementReading.Extension(consent, "consent-mode")["valueCode"u8].Text,
            ElementReading.ExtensionCodes(consent, "disclosure")
        );
    }

    private CarePlanFact? CarePlan(
        string reference,
        string version,
        FhirElement plan,
        Func<string, bool?> goalHasTarget
    )
    {
        if (!plan["intent"u8].Is("plan"u8))
        {
            return null;
        }
        var goals = reading.References(plan["goal"u8]);
        bool? measurable = null;
        foreach (var goal in goals)
        {
            if (goalHasTarget(goal) is { } has)
            {
                measurable = measurable is true || has;
            }
        }
        return new CarePlanFact(
            reference,
            version,
            InForce(plan),
            Any(plan["addresses"u8]),
            Any(plan["goal"u8]),
            measurable,
            Any(plan["activity"u8]),
            Any(plan["author"u8]) || Any(plan["contributor"u8]),
            ElementReading.Extension(plan, "copy-given")["valueDateTime"u8].Exists,
            reading.Day(ElementReading.Extension(plan, "review-by")["valueDate"u8]),
            (reading.Time(plan["created"u8]) ?? reading.Time(plan["period"u8]["start"u8]))?.First
        );
    }

    // A plan that is no longer active was so until its period ended; without an end nobody can say when.
    private Stretch InForce(FhirElement plan)
    {
        var period = plan["period"u8];
        var start = reading.Time(period["start"u8]) ?? reading.Time(plan["created"u8]);
        var end = reading.Time(period["end"u8]);
        var nothing = new Stretch(0, 0);
        if (start is null)
        {
            return nothing;
        }
        var to = end is null ? Stretch.Always.End : end.After;
        return plan["status"u8].Text switch
        {
            "active" => new Stretch(start.First, Math.Max(start.First, to)),
            "completed" or "revoked" or "on-hold" when end is not null => new Stretch(
                start.First,
                Math.Max(start.First, to)
            ),
            _ => nothing,
        };
    }

    private IEnumerable<CareFact> Encounter(string reference, FhirElement encounter)
    {
        var status = encounter["status"u8].Text ?? "";
        var start = reading.Time(encounter["period"u8]["start"u8]);
        var end = reading.Time(encounter["period"u8]["end"u8]);
        var stay = ElementReading.Code(encounter["type"u8], Codes.System("ccm-stay")) switch
        {
            "inpatient" => StayKind.Inpatient,
            "snf-part-a" => StayKind.SnfPartA,
            "hospice" => StayKind.Hospice,
            _ when encounter["class"u8]["code"u8].Is("IMP"u8) || encounter["class"u8]["code"u8].Is("ACUTE"u8) =>
                (StayKind?)StayKind.Inpatient,
            _ => null,
        };
        if (stay is { } kind)
        {
            if (status is not ("cancelled" or "entered-in-error" or "planned") && start is not null)
            {
                yield return new StayFact(
                    reference,
                    kind,
                    new Stretch(
                        start.First,
                        end is null ? Stretch.Always.End : Math.Max(start.First, end.Exact ? end.First : end.After)
                    )
                );
            }
            yield break;
        }
        var codes = ElementReading.ServiceCodes(encounter["type"u8]);
        if (start is null || codes.Count == 0)
        {
            yield break;
        }
        var practitioners = new List<string>();
        foreach (var participant in encounter["participant"u8].Items)
        {
            if (reading.Reference(participant["individual"u8]) is { } person)
            {
                practitioners.Add(person);
            }
        }
        yield return new VisitFact(
            reference,
            status,
            codes,
            // A visit of which only the day is known blocks no time within that day.
            new Stretch(
                start.First,
                start.Exact && end is { Exact: true } ? Math.Max(start.First, end.First) : start.First
            ),
            practitioners,
            reading.Reference(encounter["serviceProvider"u8]),
            ElementReading.Flag(ElementReading.Extension(encounter, "ccm-discussed")["valueBoolean"u8]),
            ElementReading.Flag(ElementReading.Extension(encounter, "extensive-planning")["valueBoolean"u8]) is true
        );
    }

    private MdmFact? Mdm(string reference, FhirElement observation)
    {
        if (
            ElementReading.Code(observation["code"u8], Codes.System("ccm-observation")) != "mdm-level"
            || observation["status"u8].Text is not ("final" or "amended" or "corrected")
            || ElementReading.Code(observation["valueCodeableConcept"u8], Codes.System("ccm-mdm-level"))
                is not { } level
            || reading.Time(observation["effectiveDateTime"u8]) is not { } at
        )
        {
            return null;
        }
        return new MdmFact(reference, level, at.First, reading.References(observation["performer"u8]));
    }

    /// <summary>A Qualified Medicare Beneficiary is told by a Coverage of type <c>ccm-coverage#qmb</c>: R4 and US Core have no code for it.</summary>
    private CoverageFact Coverage(string reference, FhirElement coverage)
    {
        var identifier = coverage["identifier"u8];
        string? member = coverage["subscriberId"u8].Text;
        foreach (var one in identifier.Items)
        {
            member ??= one["value"u8].Text;
        }
        return new CoverageFact(
            reference,
            coverage["status"u8].Is("active"u8),
            member,
            reading.Day(coverage["period"u8]["start"u8]),
            reading.Day(coverage["period"u8]["end"u8]),
            ElementReading.Code(coverage["type"u8], Codes.System("ccm-coverage")) == "qmb"
        );
    }

    /// <summary>Alignment to an ACCESS participant is told by an EpisodeOfCare of type <c>ccm-enrolment#access</c> with the participant as its managing
    /// organization: no published guide has a shape for it.</summary>
    private AccessAlignmentFact? Alignment(string reference, FhirElement episode)
    {
        if (
            ElementReading.Code(episode["type"u8], Codes.System("ccm-enrolment")) != "access"
            || episode["status"u8].Text is "cancelled" or "entered-in-error" or "planned"
            || reading.Time(episode["period"u8]["start"u8]) is not { } start
        )
        {
            return null;
        }
        var end = reading.Time(episode["period"u8]["end"u8]);
        return new AccessAlignmentFact(
            reference,
            new Stretch(start.First, end?.After ?? Stretch.Always.End),
            reading.Reference(episode["managingOrganization"u8])
        );
    }

    private static bool Any(FhirElement elements)
    {
        foreach (var element in elements.Items)
        {
            return element.Kind != JsonKind.Null;
        }
        return false;
    }
}
