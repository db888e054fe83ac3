import random, itertools, json
from tests.api import acts
from tests.api.conftest import *
from tests.api import test_intake as ti, test_plans as tp
NASTY=[None,True,False,0,1,-1,2**31,2**53,1e14,0.1,"", " ","\u0000","가"*5000,"2026-02-30","9999-12-31","1800-01-01","2199-12-31","0001-01-01",[],{},[[]],[None],{"a":1},"\ud7ff","x"*200,"１９４１-03-05","1941-０3-05","2026-03-02","NaN",["a"]*300, "00000000-0000-0000-0000-000000000000","'; drop","\U0001F600", "1900-01-01"]
def paths(o,pre=()):
    yield pre
    if isinstance(o,dict):
        for k,v in o.items(): yield from paths(v,pre+(k,))
    if isinstance(o,list):
        for k,v in enumerate(o): yield from paths(v,pre+(k,))
def put(o,path,v):
    if not path: return v
    o=json.loads(json.dumps(o)); c=o
    for k in path[:-1]: c=c[k]
    c[path[-1]]=v
    return o
def test_fuzz(api):
    full=[]
    sup=acts.a_supported_case(api)
    sig=api.as_(WORKER).post(f"/cases/{sup.case}/signals",{"kind":"fall"}).json()["id"]
    person=ti.PERSON|{"address":"a","phone":"010-1234-5678","lives_alone":True,"mobility":"limited","ltc_grade":"4","disability":"x","insurance":"x","income_tier":"b","contacts":[{"name":"a","relation":"b","phone":"010-9999-0000","may_be_told":True}],"confirm_new":True}
    def case_body(): return ti.application(acts.a_resident(api),discharge_on="2026-03-05",urgent=True,urgent_reason="x")
    ops=[
     (WORKER,"POST",lambda:"/residents",lambda:person),
     (WORKER,"PATCH",lambda:f"/residents/{sup.resident}",lambda:{k:v for k,v in person.items() if k!="confirm_new"}),
     (WORKER,"POST",lambda:"/residents/search",lambda:{"name":"a","birth_date":"1941-03-05","phone":"010-1234-5678","centre_code":HERE}),
     (WORKER,"POST",lambda:f"/residents/{sup.resident}/consents",lambda:ti.CONSENT|{"recipients":["a"],"expires_on":"2027-01-01"}),
     (WORKER,"POST",lambda:f"/residents/{sup.resident}/notes",lambda:ti.NOTE|{"with":"x","come_back_on":"2026-03-05"}),
     (WORKER,"POST",lambda:"/cases",case_body),
     (WORKER,"POST",lambda:f"/cases/{acts.a_case(api)}/pre-survey",lambda:ti.SURVEY|{"guidance":"x"}),
     (WORKER,"POST",lambda:f"/cases/{sup.case}/assessments",lambda:ti.ASSESSMENT),
     (WORKER,"PUT",lambda:f"/cases/{tp.planning(api)}/plan/draft",lambda:tp.DRAFT|{"services":[tp.MEALS|{"provider_id":None,"id":None}]}),
     (SUPERVISOR,"POST",lambda:f"/cases/{sup.case}/plan/decision",lambda:{"version":1,"hash":"a","decision":"return","conference":tp.MEETING,"conference_id":None,"without_meeting_reason":None,"reason":"x"}),
     (WORKER,"POST",lambda:f"/cases/{sup.case}/plan/notified",lambda:{"on":"2026-03-02","to":"x"}),
     (WORKER,"POST",lambda:f"/cases/{sup.case}/checks",lambda:tp.CHECK|{"next_check_on":"2026-06-01"}),
     (WORKER,"POST",lambda:f"/cases/{sup.case}/signals",lambda:{"kind":"fall","note":"x"}),
     (WORKER,"POST",lambda:f"/signals/{sig}/answer",lambda:{"note":"x"}),
     (SUPERVISOR,"POST",lambda:f"/cases/{sup.case}/assign",lambda:{"worker_id":str(api.id_of(COLLEAGUE))}),
     (SUPERVISOR,"POST",lambda:"/conferences",lambda:tp.MEETING),
     (WORKER,"POST",lambda:f"/planned-services/{sup.service}/settle",lambda:{"disposition":"refused","note":"x"}),
     (WORKER,"POST",lambda:f"/cases/{acts.a_case(api)}/close",lambda:{"reason":"refused","effective_on":"2026-03-02","note":"x","end_open_referrals":True}),
    ]
    from collections import Counter
    c=Counter(); ok=Counter()
    for who,m,path,body in ops:
        b=body()
        for pth in paths(b):
            for v in NASTY:
                target=path() if m in("PUT",) or "pre-survey" in path.__code__.co_consts.__str__() else path()
                bb=put(body() if path()=="/cases" else b,pth,v)
                h={"If-Match":api.as_(WORKER).get(f"/residents/{sup.resident}").headers["etag"]} if m=="PATCH" else {}
                try:
                    a=api.as_(who).request(m,target,json=bb,headers=h)
                except (ValueError,UnicodeEncodeError): continue
                c[a.status_code]+=1
                if a.status_code>=500: print(m,target,pth,repr(v)[:60],a.text[:200])
                if a.status_code in (200,201) : ok[(target.split("/")[-1],pth,repr(v)[:30])]+=1
    print(c)
    for k in sorted(ok,key=str): print(k)
    assert not any(s>=500 for s in c)
